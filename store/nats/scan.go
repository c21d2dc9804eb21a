package nats

import (
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ishaa-framework/ishaa/store"
)

// fetchCount is how many keys one request brings; up to fewKeys are asked for one
// by one.
const fetchCount, fewKeys = 1000, 8

// Scan implements store.KV.
func (e *engine) Scan(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		keys, err := e.list(ctx, prefix)
		if err != nil {
			yield("", err)
			return
		}
		for _, key := range keys {
			if e.Closed() {
				err = store.ErrClosed
			} else {
				err = ctx.Err()
			}
			if err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// list asks for the names of the keys at one moment, then for what their last
// messages say of their time, all in a row. A key that was changed between the two
// has another message by then, and is asked for by itself.
func (e *engine) list(ctx context.Context, prefix string) ([]string, error) {
	subjects, last, err := e.subjects(ctx, filter(prefix))
	if err != nil {
		return nil, err
	}
	unknown := make(map[string]struct{}, len(subjects))
	for subject := range subjects {
		if key, ours := decode(strings.TrimPrefix(subject, e.keys)); ours && strings.HasPrefix(key, prefix) {
			unknown[key] = struct{}{}
		}
	}
	keys := make([]string, 0, len(unknown))
	if len(unknown) > fewKeys {
		err = e.walk(ctx, "scan", filter(prefix), last, func(key string, it entry) {
			if _, named := unknown[key]; named {
				delete(unknown, key)
				if it.live {
					keys = append(keys, key)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	for rest := range slices.Chunk(slices.Collect(maps.Keys(unknown)), fetchCount) {
		found, err := e.getMany(ctx, "scan", rest)
		if err != nil {
			return nil, err
		}
		keys = slices.AppendSeq(keys, maps.Keys(found))
	}
	slices.Sort(keys)
	return keys, nil
}

// subjects gives the subjects that match a filter and the number of the last
// message of all.
func (e *engine) subjects(ctx context.Context, filter string) (map[string]uint64, uint64, error) {
	o, err := e.begin(ctx, "scan", false)
	if err != nil {
		return nil, 0, err
	}
	defer o.End()
	info, err := e.stream.Info(o.ctx, jetstream.WithSubjectFilter(e.keys+filter))
	if err != nil {
		return nil, 0, o.failed(err)
	}
	return info.State.Subjects, info.State.LastSeq, nil
}

// walk visits the last message of every key that a filter matches, without its
// value, up to the last that there was. It may miss those that change meanwhile.
func (e *engine) walk(ctx context.Context, name, filter string, last uint64, visit func(key string, it entry)) error {
	consumer, err := e.consume(ctx, name, filter)
	if err != nil {
		return err
	}
	defer e.drop(consumer.CachedInfo().Name)
	for more := true; more; {
		if more, err = e.page(ctx, name, consumer, last, visit); err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) consume(ctx context.Context, name, filter string) (jetstream.Consumer, error) {
	o, err := e.begin(ctx, name, false)
	if err != nil {
		return nil, err
	}
	defer o.End()
	consumer, err := e.stream.CreateConsumer(o.ctx, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		AckPolicy:         jetstream.AckNonePolicy,
		FilterSubject:     e.keys + filter,
		HeadersOnly:       true,
		MemoryStorage:     true,
		InactiveThreshold: 4 * e.Timeout,
	})
	return consumer, o.failed(err)
}

// page visits the next messages, in the time of one operation, and says whether
// there may be more.
func (e *engine) page(ctx context.Context, name string, consumer jetstream.Consumer, last uint64, visit func(key string, it entry)) (more bool, err error) {
	o, err := e.begin(ctx, name, false)
	if err != nil {
		return false, err
	}
	defer o.End()
	batch, err := consumer.FetchNoWait(fetchCount)
	if err != nil {
		return false, o.failed(err)
	}
	messages := batch.Messages()
	for {
		select {
		case message, open := <-messages:
			if !open {
				if err := batch.Error(); err != nil {
					return false, o.failed(err)
				}
				return more, nil
			}
			about, err := message.Metadata()
			if err != nil {
				return false, o.failed(err)
			}
			if key, ours := decode(strings.TrimPrefix(message.Subject(), e.keys)); ours {
				visit(key, readEntry(about.Sequence.Stream, about.Timestamp, message.Headers(), nil))
			}
			if about.Sequence.Stream >= last {
				return false, nil
			}
			more = true
		case <-o.ctx.Done():
			return false, o.failed(o.ctx.Err())
		}
	}
}

// drop removes a consumer that is not needed any more; the server would do so by
// itself a little later.
func (e *engine) drop(consumer string) {
	o, err := e.begin(context.Background(), "scan", false)
	if err != nil {
		return
	}
	defer o.End()
	_ = e.stream.DeleteConsumer(o.ctx, consumer)
}

// sweepPeriod is about how often expired keys are removed.
const sweepPeriod = 5 * time.Minute

// sweep removes the messages of expired keys. One that was set again meanwhile has
// another message.
func (e *engine) sweep(ctx context.Context) {
	var expired []uint64
	err := e.walk(ctx, "sweep", ">", math.MaxUint64, func(_ string, it entry) {
		if !it.live {
			expired = append(expired, it.sequence)
		}
	})
	if err != nil {
		return // the next one comes
	}
	for _, sequence := range expired {
		o, err := e.begin(ctx, "sweep", true)
		if err != nil {
			return
		}
		_ = e.stream.DeleteMsg(o.ctx, sequence)
		o.End()
	}
}
