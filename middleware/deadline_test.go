package middleware

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A deadline that was lifted stays so, even if its timer was already on its way.
func TestLiftedDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		d := newDeadline(parent, time.Second)
		if !d.lift() {
			t.Fatal("it had not passed")
		}
		d.end(context.DeadlineExceeded) // what the timer would do
		if _, ok := d.Deadline(); ok || d.Err() != nil {
			t.Errorf("the context says %v", d.Err())
		}
		cancel()
		<-d.Done()
		if d.Err() != context.Canceled {
			t.Errorf("after its parent the context says %v", d.Err())
		}
		if stop := d.AfterFunc(func() {}); stop() {
			t.Error("a function that was started could be stopped")
		}
	})
}

func TestDeadlineThatPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline(t.Context(), time.Second)
		never := d.AfterFunc(func() { t.Error("a stopped function runs") })
		if !never() || never() {
			t.Error("it can be stopped once")
		}
		time.Sleep(time.Second)
		<-d.Done()
		if d.lift() || d.Err() != context.DeadlineExceeded {
			t.Errorf("the context says %v", d.Err())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		d := newDeadline(parent, time.Second)
		if at, _ := d.Deadline(); time.Until(at) != time.Millisecond {
			t.Error("the parent's earlier deadline is not told")
		}
		<-d.Done()
		d.end(context.Canceled)
	})
}
