package actors_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

func TestQuestionsWaitForTheirTurn(t *testing.T) {
	const each = time.Second
	actorstest.Run(t, actors.Config{Readers: 2}, func(t *testing.T, e *actorstest.Engine) {
		e.Do("group:1", &conversation.Post{Seq: 1, Sender: "ann"})
		questions := []func(context.Context) error{
			func(ctx context.Context) error { _, err := e.Badge(ctx, "bob"); return err },
			func(ctx context.Context) error {
				_, err := e.Conversations(ctx, actors.ListQuery{User: "bob"})
				return err
			},
			func(ctx context.Context) error { _, err := e.Sync(ctx, actors.SyncQuery{User: "bob"}); return err },
		}
		e.Break(actorstest.ReadsTake(each))
		for _, ask := range questions {
			began := time.Now()
			for range 4 {
				go func() { _ = ask(context.Background()) }()
			}
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), each/2)
			if err := ask(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, conversation.ErrUnavailable) || time.Since(began) != each/2 {
				t.Errorf("one that waits for its turn: %v after %v", err, time.Since(began))
			}
			cancel()
			e.Advance(time.Minute)
		}
	})
}

func TestAQuestionThatWaitsForItsTurnEndsWithTheEngine(t *testing.T) {
	actorstest.Run(t, actors.Config{Readers: 1}, func(t *testing.T, e *actorstest.Engine) {
		e.Advance(time.Second) // the reaper has had its look around
		e.Break(actorstest.ReadsTake(time.Hour))
		go func() { _, _ = e.Badge(context.Background(), "ann") }()
		synctest.Wait()
		answer := make(chan error, 1)
		go func() {
			_, err := e.Badge(context.Background(), "ann")
			answer <- err
		}()
		synctest.Wait()
		e.Heal()
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-answer; !errors.Is(err, actors.ErrStopped) {
			t.Errorf("got %v, want ErrStopped", err)
		}
		e.Advance(2 * time.Hour)
	})
}
