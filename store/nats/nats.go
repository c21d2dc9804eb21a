// Package nats is the engine of package store for NATS with JetStream, server 2.9
// and later. Importing it makes nats:// known to store.Open:
//
//	import (
//		"github.com/ishaa-framework/ishaa/store"
//		_ "github.com/ishaa-framework/ishaa/store/nats"
//	)
//
//	st, err := store.Open("nats://127.0.0.1:4222/shop")
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//	sub, err := st.Subscribe(ctx, "orders")
//
// The path names the bucket (default ishaa), which is made when it is not there:
// letters, digits, - and _. Several servers are written nats://a:4222,b:4222/shop.
// Options of the URL are storage, file (the default) or memory, and replicas, how
// many servers keep the bucket, both of a new bucket only; and timeout, which is
// how long an operation may take whose context does not say (default 3s).
//
// Get, Set and Publish are one round trip, the others two or more: compare-and-swap
// and counters read, then write on the condition that nothing came between, and
// begin again if something did. Values and messages are limited by the server's
// max_payload, 1 MiB by default. A key's time to live runs from when the server
// stored it, on the reader's clock: clocks should be synchronised. What is expired is
// removed every few minutes. Messages do not go through JetStream: whoever is not
// there misses them.
package nats

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/internal/link"
)

func init() { store.Register("nats", open) }

type engine struct {
	*link.Link
	conn   *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	layout jetstream.StreamConfig // of the bucket, should it have to be made
	keys   string                 // the subject before a key
	topics string                 // the subject before a topic
	lanes  [64]chan struct{}
	hub    *store.Hub

	mu      sync.Mutex
	whole   context.Context // ends when the connection breaks, and is replaced
	broke   context.CancelFunc
	members map[string]*member
	next    uint64
}

// settings are what a URL says beside the servers.
type settings struct {
	bucket   string
	replicas int
	storage  jetstream.StorageType
}

var bucketName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func readSettings(u *url.URL) (settings, error) {
	s := settings{bucket: strings.Trim(u.Path, "/"), replicas: 1}
	if s.bucket == "" {
		s.bucket = "ishaa"
	}
	if !bucketName.MatchString(s.bucket) {
		return s, fmt.Errorf("the bucket %q: use letters, digits, - and _", s.bucket)
	}
	if text := link.Option(u, "replicas"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 5 {
			return s, fmt.Errorf("the option replicas=%s: write 1 to 5", text)
		}
		s.replicas = n
	}
	switch text := link.Option(u, "storage"); text {
	case "", "file":
	case "memory":
		s.storage = jetstream.MemoryStorage
	default:
		return s, fmt.Errorf("the option storage=%s: write file or memory", text)
	}
	for name := range u.Query() {
		return s, fmt.Errorf("there is no option %s; there are storage, replicas and timeout", name)
	}
	return s, nil
}

func open(address *url.URL) (store.Store, error) {
	u := *address
	l, err := link.New(&u)
	if err != nil {
		return nil, err
	}
	s, err := readSettings(&u)
	if err != nil {
		return nil, err
	}
	e := &engine{
		Link: l, keys: "$KV." + s.bucket + ".", topics: "ishaa.topic." + s.bucket + ".",
		members: map[string]*member{},
	}
	e.whole, e.broke = context.WithCancel(context.Background())
	e.hub = store.NewHub(e.listen, e.unlisten)
	for i := range e.lanes {
		e.lanes[i] = make(chan struct{}, 1)
	}
	if e.conn, err = nats.Connect(servers(&u), e.options()...); err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.broke()
		return nil, l.Unreachable(err)
	}
	if err := e.prepare(s); err != nil {
		e.Close()
		var answer *jetstream.APIError
		if errors.As(err, &answer) && answer.Code != 503 || errors.Is(err, errForeign) {
			return nil, err
		}
		return nil, l.Unreachable(err)
	}
	l.Every(sweepPeriod, e.sweep)
	return e, nil
}

// servers writes the servers of a URL as the client reads them.
func servers(u *url.URL) string {
	user := ""
	if u.User != nil {
		user = u.User.String() + "@"
	}
	list := strings.Split(u.Host, ",")
	for i, host := range list {
		list[i] = "nats://" + user + host
	}
	return strings.Join(list, ",")
}

func (e *engine) options() []nats.Option {
	return []nats.Option{
		nats.Timeout(e.Timeout),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(link.Backoff),
		nats.IgnoreAuthErrorAbort(),
		// What cannot be sent now is an error now, not a surprise later.
		nats.ReconnectBufSize(-1),
		nats.FlusherTimeout(e.Timeout),
		nats.PingInterval(e.Timeout / 2),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { e.disconnected() }),
		nats.ReconnectHandler(func(*nats.Conn) { e.reconnected() }),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // the default one writes to standard error
	}
}

var errForeign = errors.New("the bucket was made by something else, which keeps keys from being deleted: name another one in the path")

// prepare makes the bucket when it is not there. It is laid out as JetStream's own
// KV is, so that its tools can read it, but for deletes: a key that is deleted
// leaves no marker behind.
func (e *engine) prepare(s settings) error {
	ctx, cancel := context.WithTimeout(context.Background(), e.Timeout)
	defer cancel()
	js, err := jetstream.New(e.conn)
	if err != nil {
		return err
	}
	e.js = js
	e.layout = jetstream.StreamConfig{
		Name:              "KV_" + s.bucket,
		Description:       "a store of Ishaa",
		Subjects:          []string{e.keys + ">"},
		MaxMsgsPerSubject: 1,
		Discard:           jetstream.DiscardNew,
		Storage:           s.storage,
		Replicas:          s.replicas,
		AllowRollup:       true,
		// A replica answers a direct read, perhaps with what is no longer so.
		AllowDirect: s.replicas == 1,
	}
	if e.stream, err = e.bucket(ctx); err != nil {
		return err
	}
	if e.stream.CachedInfo().Config.DenyDelete {
		return errForeign
	}
	return nil
}

// bucket finds the bucket or makes it.
func (e *engine) bucket(ctx context.Context) (jetstream.Stream, error) {
	stream, err := e.js.Stream(ctx, e.layout.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = e.js.CreateStream(ctx, e.layout)
	}
	return stream, err
}

// operation is a link's that also ends when the connection breaks: the client
// itself would wait for an answer that cannot come.
type operation struct {
	*link.Operation
	ctx  context.Context
	stop func() bool
	end  context.CancelCauseFunc
}

var (
	errBroke   = errors.New("the connection broke")
	errNotThen = errors.New("not connected")
)

func (e *engine) begin(ctx context.Context, name string, write bool, keys ...string) (*operation, error) {
	for _, key := range keys {
		if err := store.CheckKey(key); err != nil {
			return nil, err
		}
	}
	o, err := e.Begin(ctx, name, write)
	if err != nil {
		return nil, err
	}
	if !e.conn.IsConnected() {
		defer o.End()
		err := e.conn.LastError()
		if err == nil {
			err = errNotThen
		}
		return nil, o.Unsent(err)
	}
	e.mu.Lock()
	whole := e.whole
	e.mu.Unlock()
	inner, end := context.WithCancelCause(o.Context)
	return &operation{o, inner, context.AfterFunc(whole, func() { end(errBroke) }), end}, nil
}

// End gives up what begin took.
func (o *operation) End() {
	o.stop()
	o.end(nil)
	o.Operation.End()
}

// failed turns an error of the client into the store's.
func (o *operation) failed(err error) error {
	var answer *jetstream.APIError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: the server's max_payload is less", store.ErrTooLarge)
	case errors.As(err, &answer) && answer.Code == 503, errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse):
		return o.Unsent(err)
	case errors.As(err, &answer):
		return o.Refused(err)
	case errors.Is(err, nats.ErrReconnectBufExceeded):
		return o.Unsent(errNotThen)
	case context.Cause(o.ctx) == errBroke:
		return o.Away(errBroke)
	}
	return o.Away(err)
}

// Close implements store.Store.
func (e *engine) Close() error {
	if !e.Link.Close() {
		return nil
	}
	e.hub.Close()
	e.Wait()
	e.conn.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.broke()
	return nil
}
