package actors_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// lateStore is slow to say that it has committed the journal's batches, while others commit.
type lateStore struct {
	*persistencetest.Store

	late atomic.Int64
}

func (s *lateStore) Commit(ctx context.Context, b persistence.Batch) ([]persistence.Result, error) {
	results, err := s.Store.Commit(ctx, b)
	if !deletes(b) {
		time.Sleep(time.Duration(s.late.Load())) // virtual: the commit's answer comes late
	}
	return results, err
}

// The next generation is committed before the end of the one before it, but the journal hears of that only when the end is in the store already.
func TestAChangeThatWasCommittedBeforeAnEndIsToldBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &lateStore{Store: persistencetest.NewStore()}
		e, err := actors.Start(t.Context(), nil, store, hourly())
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := e.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		post := func(seq uint64) {
			p := &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: seq, Sender: "ann"}}
			if _, err := e.Propose(t.Context(), p); err != nil {
				t.Error(err)
			}
		}
		watch, err := e.Watch(t.Context(), actors.WatchQuery{})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		post(1)
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		go func() {
			for event, err := range watch.Events(ctx) {
				switch {
				case err != nil:
				case event.Expired != nil:
					got = append(got, "end")
				default:
					got = append(got, "change")
				}
			}
		}()
		store.late.Store(int64(time.Second))
		time.Sleep(time.Hour + time.Millisecond) // virtual: it was judged, and the batch waits for others for some milliseconds more
		post(2)
		time.Sleep(time.Minute) // virtual: all of it has come
		cancel()
		synctest.Wait()
		if !slices.Equal(got, []string{"change", "change", "end"}) {
			t.Errorf("got %v, want both changes before the end", got)
		}
	})
}
