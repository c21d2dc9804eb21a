package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/internal/link"
)

// A topic is a channel of NOTIFY, whose name is a digest, since names are short and
// text. A payload is text of at most 7,999 bytes: a mark and the message in base64,
// or, for a larger one, a mark and the number of its row in the table of messages,
// where it stays for five minutes.
const (
	markMessage = "m"
	markLarge   = "l"
	maxPayload  = 7999
)

func (e *engine) channel(topic string) string {
	digest := sha256.Sum256([]byte(e.space + "\x00" + topic))
	return "ishaa_" + hex.EncodeToString(digest[:16])
}

// Publish implements store.PubSub.
func (e *engine) Publish(ctx context.Context, topic string, message []byte) error {
	if err := link.CheckValue(message, link.MaxValue); err != nil {
		return err
	}
	o, err := e.BeginKey(ctx, "publish", true, topic)
	if err != nil {
		return err
	}
	defer o.End()
	if len(markMessage)+base64.RawStdEncoding.EncodedLen(len(message)) <= maxPayload {
		_, err = e.exec(o, e.sql.publish, e.channel(topic), markMessage+base64.RawStdEncoding.EncodeToString(message))
	} else {
		_, err = e.exec(o, e.sql.publishLarge, e.channel(topic), message)
	}
	return err
}

// Subscribe implements store.PubSub.
func (e *engine) Subscribe(ctx context.Context, topic string) (store.Subscription, error) {
	if e.Closed() {
		return nil, store.ErrClosed
	}
	return e.listener.Hub.Subscribe(ctx, topic)
}

// session is a connection that only listens. One goroutine owns it: it waits for
// notifications and is interrupted for what others want.
//
// LISTEN takes effect when it commits, but notifications from before may still be
// on their way to the connection. So the session sends itself a notification in
// the same transaction: when that arrives, all from before have.
type session struct {
	engine  *engine
	conn    *pgx.Conn
	deliver func(topic string, message []byte)
	own     string // the channel of what it sends itself
	failed  chan struct{}
	ctx     context.Context // until Close
	close   context.CancelFunc

	mu        sync.Mutex
	wanted    []*request
	interrupt context.CancelFunc // of the wait that is under way

	topics  map[string]string   // by channel; the goroutine's own
	waiting map[string]*request // by mark; the goroutine's own
}

// request is a change of what is listened to.
type request struct {
	topics []string
	listen bool
	done   chan struct{}
}

func (e *engine) dialSession(ctx context.Context, deliver func(topic string, message []byte)) (link.Session, error) {
	config := e.pool.Config().ConnConfig
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &session{
		engine: e, conn: conn, deliver: deliver, own: "ishaa_" + strings.ToLower(rand.Text()),
		failed: make(chan struct{}), topics: map[string]string{}, waiting: map[string]*request{},
	}
	s.ctx, s.close = context.WithCancel(context.Background())
	if _, err := conn.Exec(ctx, "LISTEN "+s.own); err != nil {
		s.end()
		return nil, err
	}
	if !e.Go(func(context.Context) { s.run() }) {
		s.end()
		return nil, store.ErrClosed
	}
	return s, nil
}

func (s *session) end() {
	s.close()
	ctx, cancel := context.WithTimeout(context.Background(), min(s.engine.Timeout, time.Second)/4)
	defer cancel()
	_ = s.conn.Close(ctx)
	close(s.failed)
}

func (s *session) run() {
	defer s.end()
	for s.ctx.Err() == nil {
		if err := s.serve(); err != nil {
			return
		}
		ctx, cancel := s.wait()
		notification, err := s.conn.WaitForNotification(ctx)
		quiet := errors.Is(ctx.Err(), context.DeadlineExceeded)
		cancel()
		switch {
		case err == nil:
			err = s.heard(notification.Channel, notification.Payload)
		case s.conn.IsClosed():
			return
		case quiet:
			err = s.exec("SELECT 1") // is it still there?
		default:
			err = nil // interrupted
		}
		if err != nil {
			return
		}
	}
}

// wait gives the context of one wait, which ends when something is wanted and
// after a time in which nothing was heard.
func (s *session) wait() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(s.ctx, s.engine.Timeout)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interrupt = cancel
	if len(s.wanted) > 0 {
		cancel()
	}
	return ctx, cancel
}

// exec carries out statements. Giving one up would break the connection, so they
// have the store's time, not that of who wants them.
func (s *session) exec(sql string) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.engine.Timeout)
	defer cancel()
	_, err := s.conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// serve does what is wanted, all of it in one round trip.
func (s *session) serve() error {
	s.mu.Lock()
	wanted := s.wanted
	s.wanted = nil
	s.mu.Unlock()
	if len(wanted) == 0 {
		return nil
	}
	var sql strings.Builder
	for _, r := range wanted {
		for _, topic := range r.topics {
			channel := s.engine.channel(topic)
			if r.listen {
				s.topics[channel] = topic
				sql.WriteString("LISTEN " + channel + ";")
			} else {
				delete(s.topics, channel)
				sql.WriteString("UNLISTEN " + channel + ";")
			}
		}
		mark := rand.Text()
		s.waiting[mark] = r
		sql.WriteString("NOTIFY " + s.own + ", '" + mark + "';")
	}
	return s.exec(sql.String())
}

func (s *session) heard(channel, payload string) error {
	if channel == s.own {
		if r := s.waiting[payload]; r != nil {
			delete(s.waiting, payload)
			close(r.done)
		}
		return nil
	}
	topic, listening := s.topics[channel]
	if !listening {
		return nil
	}
	if text, ok := strings.CutPrefix(payload, markMessage); ok {
		message, err := base64.RawStdEncoding.DecodeString(text)
		if err == nil {
			s.deliver(topic, message)
		}
		return nil // what is not ours is not for us
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(payload, markLarge), 10, 64)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.engine.Timeout)
	defer cancel()
	var message []byte
	// Without it there is a gap: the session ends, so that it is marked.
	if err := s.engine.pool.QueryRow(ctx, s.engine.sql.fetch, id).Scan(&message); err != nil {
		return err
	}
	s.deliver(topic, message)
	return nil
}

func (s *session) want(ctx context.Context, listen bool, topics ...string) error {
	r := &request{topics: topics, listen: listen, done: make(chan struct{})}
	s.mu.Lock()
	s.wanted = append(s.wanted, r)
	if s.interrupt != nil {
		s.interrupt()
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return nil
	case <-s.failed:
		return errors.New("the connection broke")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Listen implements link.Session.
func (s *session) Listen(ctx context.Context, topics ...string) error {
	return s.want(ctx, true, topics...)
}

// Unlisten implements link.Session.
func (s *session) Unlisten(ctx context.Context, topic string) error {
	return s.want(ctx, false, topic)
}

// Failed implements link.Session.
func (s *session) Failed() <-chan struct{} { return s.failed }

// Close implements link.Session.
func (s *session) Close() { s.close() }
