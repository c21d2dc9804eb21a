package websocket_test

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
)

// Programs of other languages talk to a socket: text, bytes, fragments, long
// messages with and without compression, pings, sub-protocols, closing, a refused
// handshake.

func TestPythonClient(t *testing.T) {
	talk(t, exec.Command(testenv.PythonWith(t, "websockets"), "-c", pythonClient))
}

func TestNodeClient(t *testing.T) {
	node, env := testenv.NodeWith(t, "ws")
	cmd := exec.Command(node, "-e", nodeClient)
	cmd.Env = env
	talk(t, cmd)
}

// talk runs a client with the address of an echo as its argument.
func talk(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	app := ishaa.New("echo")
	app.Get("/ws", websocket.Handler(echo, websocket.Compress(), websocket.Protocols("echo.v1")))
	ishaatest.Logs(t, app)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- app.Serve(ctx, listener) }()
	cmd.Args = append(cmd.Args, "ws://"+listener.Addr().String()+"/ws")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "all is well" {
		t.Errorf("%v\n%s", err, out)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

const pythonClient = `
import asyncio, sys, websockets
async def main(url):
    for compression in (None, "deflate"):
        async with websockets.connect(url, compression=compression, subprotocols=["echo.v1"]) as ws:
            assert ws.subprotocol == "echo.v1", ws.subprotocol
            for message in ("", "κόσμε", b"\x00\xff", "x" * 200000, bytes(range(256)) * 500):
                await ws.send(message)
                got = await ws.recv()
                assert got == message and type(got) is type(message), (message[:20], got[:20])
            await ws.send(["in ", "three ", "pieces"])
            assert await ws.recv() == "in three pieces"
            await asyncio.wait_for(await ws.ping(b"here?"), 30)
            await ws.close(4000, "done")
            assert ws.close_code == 4000, ws.close_code
        async with websockets.connect(url, compression=compression, max_size=None) as ws:
            await ws.send("x" * (1 << 20))
            try:
                await ws.recv()
                assert False, "a message that is too long was taken"
            except websockets.exceptions.ConnectionClosed:
                assert ws.close_code == 1009, ws.close_code
    try:
        async with websockets.connect(url, origin="https://evil.example"):
            assert False, "another origin was let in"
    except websockets.exceptions.WebSocketException as e:
        assert "403" in str(e), e
asyncio.run(main(sys.argv[1]))
print("all is well")
`

const nodeClient = `
const WebSocket = require('ws'), assert = require('assert'), url = process.argv[1];
const once = (ws, name) => new Promise((resolve, reject) => { ws.once(name, (...args) => resolve(args)); if (name !== 'error') ws.once('error', reject); });
const talk = async (perMessageDeflate) => {
  let ws = new WebSocket(url, ['echo.v1'], { perMessageDeflate });
  await once(ws, 'open');
  assert.equal(ws.protocol, 'echo.v1');
  assert.equal(ws.extensions.includes('permessage-deflate'), perMessageDeflate);
  for (const message of ['', 'κόσμε', Buffer.from([0, 255]), 'x'.repeat(200000), Buffer.alloc(100000, 7)]) {
    const answer = once(ws, 'message');
    ws.send(message);
    const [got, isBinary] = await answer;
    assert.equal(isBinary, Buffer.isBuffer(message));
    assert.ok(Buffer.from(message).equals(got));
  }
  let answer = once(ws, 'message');
  ws.send('in ', { fin: false }); ws.send('two', { fin: true });
  assert.equal((await answer)[0].toString(), 'in two');
  answer = once(ws, 'pong'); ws.ping('here?');
  assert.equal((await answer)[0].toString(), 'here?');
  answer = once(ws, 'close'); ws.close(4000, 'done');
  assert.deepEqual((await answer).map(String), ['4000', 'done']);
  ws = new WebSocket(url, { perMessageDeflate });
  await once(ws, 'open');
  answer = once(ws, 'close'); ws.send('x'.repeat(1 << 20));
  assert.equal((await answer)[0], 1009);
};
(async () => {
  await talk(false); await talk(true);
  const refused = new WebSocket(url, { origin: 'https://evil.example' });
  const [error] = await once(refused, 'error');
  assert.ok(error.message.includes('403'), error.message);
  console.log('all is well');
})().catch((e) => { console.error(e); process.exit(1); });
`
