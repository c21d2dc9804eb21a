package orm

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheGateIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{limit: time.Hour}
		leave, err := g.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		for i := range 20 {
			go func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%5 == 4 {
					time.AfterFunc(time.Second, cancel)
				}
				leave, err := g.enter(ctx)
				if i%5 == 4 {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("%d: %v", i, err)
					}
					return
				}
				order = append(order, i)
				leave()
			}()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		leave()
		synctest.Wait()
		if want := []int{0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13, 15, 16, 17, 18}; !slices.Equal(order, want) {
			t.Errorf("the order is %v", order)
		}
		if g.taken || g.waiting.Len() > 0 {
			t.Error("the gate is not free")
		}
	})
}

func TestTheGateGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{limit: time.Minute}
		leave, _ := g.enter(t.Context())
		if _, err := g.enter(t.Context()); !errors.Is(err, ErrTimeout) {
			t.Errorf("%v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.enter(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		leave()
		if leave, err := g.enter(t.Context()); err != nil {
			t.Error(err)
		} else {
			leave()
		}
	})
}
