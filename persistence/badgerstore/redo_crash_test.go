package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-im/parley/persistence"
)

// coveredEvery is after how many Logs a child commits what they logged.
const coveredEvery = 7

// logForever logs pairs of rows, and one that all pairs overwrite, and prints the key of each pair once it was logged. What was committed last is deleted again.
func logForever(store *Store) error {
	ctx := context.Background()
	epochs, err := store.Acquire(ctx, 1)
	if err != nil {
		return err
	}
	var logged []persistence.Group
	for i := 0; ; i++ {
		key := fmt.Sprintf("x%d-%06d", epochs[0], i)
		group := persistence.Group{Shard: 1, Epoch: epochs[0], Puts: []persistence.Put{
			{Key: []byte(key + "-a")}, {Key: []byte(key + "-b")}, {Key: []byte("xlast"), Value: []byte(key)}, {Key: []byte("xdoomed-" + key)},
		}}
		position, err := store.Log(ctx, persistence.Batch{Groups: []persistence.Group{group}})
		if err != nil {
			return err
		}
		fmt.Println(key)
		if logged = append(logged, group); len(logged) < coveredEvery {
			continue
		}
		if _, err := store.Commit(ctx, persistence.Batch{Groups: logged, Logged: position}); err != nil {
			return err
		}
		doomed := persistence.Group{Shard: 1, Epoch: epochs[0]}
		for i := range logged {
			doomed.Deletes = append(doomed.Deletes, persistence.Delete{Key: logged[i].Puts[3].Key})
		}
		if _, err := store.Commit(ctx, persistence.Batch{Groups: []persistence.Group{doomed}}); err != nil {
			return err
		}
		logged = nil
	}
}

// TestWhatWasLoggedSurvivesAKill kills a process that logs, again and again, and sometimes the one that takes that in.
func TestWhatWasLoggedSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	var acked []string
	for round := range 5 {
		child := startChild(t, roleLog, dir)
		child.opened(t)
		for range 100 + 150*round {
			if !child.stdout.Scan() {
				t.Fatalf("the child ended: %v", child.stdout.Err())
			}
			acked = append(acked, child.stdout.Text())
		}
		acked = append(acked, child.kill(t)...)
		if round%2 == 1 { // this one is killed while, or just after, it takes in what the other has logged
			startChild(t, roleHold, dir).kill(t)
		}
		s := open(t, dir, Options{})
		snapshot := s.snapshot()
		last := acked[len(acked)-1]
		for _, key := range acked {
			for _, half := range []string{"-a", "-b"} {
				if _, err := snapshot.Get(t.Context(), []byte(key+half)); err != nil {
					t.Errorf("%s%s was acknowledged: %v", key, half, err)
				}
			}
		}
		if value, err := snapshot.Get(t.Context(), []byte("xlast")); err != nil || string(value) < last {
			t.Errorf("the last is %q, %v; %s was acknowledged", value, err, last)
		}
		// Of what was deleted after it was committed, nothing comes back.
		doomed := 0
		life, _, _ := strings.Cut(last, "-")
		for row, err := range snapshot.Scan(t.Context(), persistence.PrefixRange([]byte("xdoomed-"+life))) {
			if err != nil {
				t.Fatal(err)
			}
			if doomed++; doomed > 2*coveredEvery {
				t.Fatalf("%s is back", row.Key)
			}
		}
		snapshot.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALogCannotGoOnAfterItsStoreWasClosed(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	batch := s.batch("a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Log(t.Context(), batch); !errors.Is(err, persistence.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}
