package ishaa

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// listen opens the address, or takes over a listener that the parent process
// hands down by the protocol of systemd's socket activation (sd_listen_fds(3)).
func listen(addr string) (net.Listener, error) {
	if listener, err := inherited(); listener != nil || err != nil {
		return listener, err
	}
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return listenUnix(path)
	}
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; stop it, or choose another address with -addr or ISHAA_ADDR", addr)
	}
	return listener, err
}

// listenUnix opens a unix socket. A socket file that nobody answers on is what a
// killed process left behind, and goes.
func listenUnix(path string) (net.Listener, error) {
	if path == "" {
		return nil, errors.New("unix: names no socket; write unix:/path")
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		conn, err := net.DialTimeout("unix", path, time.Second)
		if err == nil {
			conn.Close()
			return nil, fmt.Errorf("unix:%s is in use by another program", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}

// The first descriptor that is handed down.
const firstInherited = 3

func inherited() (net.Listener, error) {
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || count < 1 {
		return nil, nil
	}
	if pid := os.Getenv("LISTEN_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return nil, nil // meant for another process
	}
	// Programs that this one starts have no listener at that descriptor.
	os.Unsetenv("LISTEN_FDS")
	os.Unsetenv("LISTEN_PID")
	if count > 1 {
		return nil, fmt.Errorf("LISTEN_FDS is %d; hand down one listener", count)
	}
	file := os.NewFile(firstInherited, "inherited listener")
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS is set but descriptor %d is not a listener: %w", firstInherited, err)
	}
	return listener, nil
}

// notifyParent tells who started the program how far it is, by the protocol of systemd (sd_notify(3)). Nobody has to
// listen, so that nothing is said of failures.
func notifyParent(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}
