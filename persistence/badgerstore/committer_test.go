package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// stopped returns options whose FreeSpace holds each turn of the committer back, once armed, until it is let go.
func stopped() (o Options, arm, letGo func()) {
	var mu sync.Mutex
	var hold chan struct{}
	o.FreeSpace = func(string) (uint64, error) {
		mu.Lock()
		wait := hold
		mu.Unlock()
		if wait != nil {
			<-wait
		}
		return math.MaxUint64, nil
	}
	arm = func() {
		mu.Lock()
		defer mu.Unlock()
		hold = make(chan struct{})
	}
	letGo = func() {
		mu.Lock()
		defer mu.Unlock()
		close(hold)
		hold = nil
	}
	return o, arm, letGo
}

func TestABatchIsOneTransactionWhereItFits(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	var keys []string
	for i := range 100 {
		keys = append(keys, fmt.Sprint(i))
	}
	before := s.db.MaxVersion()
	s.commit(s.batch(keys...))
	if n := s.db.MaxVersion() - before; n != 1 {
		t.Errorf("%d transactions for %d groups, want 1", n, len(keys))
	}
}

func TestCommitsThatWaitShareATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, arm, letGo := stopped()
		s := open(t, t.TempDir(), o)
		before := s.db.MaxVersion()
		arm()
		var callers sync.WaitGroup
		for i := range 20 {
			callers.Go(func() {
				batch := s.batch(fmt.Sprint(i))
				if i%2 == 1 {
					batch.Groups[0].Epoch++ // fenced
				}
				results, err := s.Commit(t.Context(), batch)
				if err != nil || (results[0].Err != nil) != (i%2 == 1) {
					t.Errorf("commit %d: %v, %v", i, err, results)
				}
			})
		}
		synctest.Wait() // one is the committer's, the others wait for it
		letGo()
		callers.Wait()
		if n := s.db.MaxVersion() - before; n > 2 {
			t.Errorf("%d transactions for 20 commits of which 19 waited, want at most 2", n)
		}
		for i := range 20 {
			s.want(i%2 == 0, fmt.Sprint(i))
		}
	})
}

func TestAContextEndsTheWaitForATurnAndNotTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, arm, letGo := stopped()
		s := open(t, t.TempDir(), o)
		ctx, cancel := context.WithCancel(t.Context())
		arm()
		under, waiting := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := s.Commit(ctx, s.batch("under way"))
			under <- err
		}()
		synctest.Wait()
		go func() {
			_, err := s.Commit(ctx, s.batch("waits"))
			waiting <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("the commit that waited: %v, want context.Canceled", err)
		}
		letGo()
		if err := <-under; err != nil {
			t.Errorf("the commit under way: %v", err)
		}
		s.want(true, "under way")
		s.want(false, "waits")
	})
}

func TestCloseAnswersWhatIsUnderWayAndRefusesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o, arm, letGo := stopped()
		s := open(t, dir, o)
		arm()
		under, waiting, closed := make(chan error, 1), make(chan error, 2), make(chan error, 1)
		go func() {
			_, err := s.Commit(t.Context(), s.batch("under way"))
			under <- err
		}()
		synctest.Wait()
		go func() {
			_, err := s.Commit(t.Context(), s.batch("waits"))
			waiting <- err
		}()
		go func() {
			_, err := s.Acquire(t.Context(), 1)
			waiting <- err
		}()
		synctest.Wait()
		go func() { closed <- s.Close() }()
		for range 2 {
			if err := <-waiting; !errors.Is(err, persistence.ErrClosed) {
				t.Errorf("what waited: %v, want ErrClosed", err)
			}
		}
		synctest.Wait()
		select {
		case err := <-closed:
			t.Errorf("Close did not wait for the commit under way: %v", err)
		default:
		}
		letGo()
		if err := <-under; err != nil {
			t.Errorf("the commit under way: %v", err)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		s = open(t, dir, Options{})
		s.want(true, "under way")
		s.want(false, "waits")
	})
}

// TestAnUnknownOutcomeIsLookedUpBeforeTheNextWrite has a transaction land although its commit fails: the event numbers and the clock
// that it took must not be given again.
func TestAnUnknownOutcomeIsLookedUpBeforeTheNextWrite(t *testing.T) {
	errLost := errors.New("the answer was lost")
	for _, landed := range []bool{true, false} {
		t.Run(fmt.Sprintf("landed %v", landed), func(t *testing.T) {
			s := open(t, t.TempDir(), Options{})
			g := persistence.Group{Shard: 1, Epoch: s.epoch, Events: [][]byte{[]byte("a"), []byte("b")}}
			first := s.commit(persistence.Batch{Groups: []persistence.Group{g}})[0].FirstEvent
			s.committer.write = func(txn *badger.Txn) error {
				if landed {
					if err := txn.Commit(); err != nil {
						t.Error(err)
					}
				}
				return errLost
			}
			if _, err := s.Commit(t.Context(), persistence.Batch{Clock: 100, Groups: []persistence.Group{g}}); !errors.Is(err, errLost) {
				t.Fatalf("%v, want the failure", err)
			}
			s.committer.write = (*badger.Txn).Commit
			results := s.commit(persistence.Batch{Clock: 50, Groups: []persistence.Group{g}})
			number, clock := first+2, persistence.Instant(50)
			if landed {
				number, clock = first+4, 100
			}
			if results[0].FirstEvent != number {
				t.Errorf("the next event has number %d, want %d", results[0].FirstEvent, number)
			}
			if got, err := storedClock(s); got != clock || err != nil {
				t.Errorf("the clock is %d, %v; want %d", got, err, clock)
			}
		})
	}
}

func storedClock(s *subject) (persistence.Instant, error) {
	var clock persistence.Instant
	err := s.db.View(func(txn *badger.Txn) error {
		n, fault := readNumber(txn, rowClock)
		clock = persistence.Instant(n)
		return fault
	})
	return clock, err
}

func TestAFailedTransactionFailsThoseThatHaveAPartInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, arm, letGo := stopped()
		s := open(t, t.TempDir(), o)
		errLost := errors.New("lost")
		failing := true
		s.committer.write = func(txn *badger.Txn) error {
			if failing {
				failing = false
				return errLost
			}
			return txn.Commit()
		}
		arm()
		errs := make([]error, 3)
		var callers sync.WaitGroup
		for i := range errs {
			callers.Go(func() { _, errs[i] = s.Commit(t.Context(), s.batch(fmt.Sprint(i))) })
			synctest.Wait()
		}
		letGo()
		callers.Wait()
		// The first had its turn alone; the other two shared the next one.
		for i, failed := range []bool{true, false, false} {
			if errors.Is(errs[i], errLost) != failed {
				t.Errorf("commit %d: %v; want it to fail: %v", i, errs[i], failed)
			}
			s.want(!failed, fmt.Sprint(i))
		}
	})
}

func TestTransactionsBehindAFailedOneOfTheSameBatchAreNotTried(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true})
	var batch persistence.Batch
	for i := range 4 { // each fills more than half a transaction
		g := persistence.Group{Shard: 1, Epoch: s.epoch}
		for j := range 3 {
			g.Puts = append(g.Puts, persistence.Put{Key: fmt.Appendf(nil, "x%d-%d", i, j), Value: make([]byte, 500_000)})
		}
		batch.Groups = append(batch.Groups, g)
	}
	errLost := errors.New("lost")
	written := 0
	s.committer.write = func(txn *badger.Txn) error {
		if written++; written == 2 {
			return errLost
		}
		return txn.Commit()
	}
	if _, err := s.Commit(t.Context(), batch); !errors.Is(err, errLost) {
		t.Fatalf("%v, want the failure", err)
	}
	if written != 2 {
		t.Errorf("%d transactions were tried, want 2", written)
	}
	s.want(true, "0-0", "0-2")
	s.want(false, "1-0", "2-0", "3-0")
}

// TestBadgerDoesNotGuardWithoutConflictDetection shows why there must be one writer: Badger lets the first transaction delete what the second
// one wrote in between.
func TestBadgerDoesNotGuardWithoutConflictDetection(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	s.commit(s.batch("row"))
	deleter := s.db.NewTransaction(true)
	defer deleter.Discard()
	if _, err := deleter.Get([]byte("xrow")); err != nil {
		t.Fatal(err)
	}
	s.commit(s.batch("row")) // acknowledged
	if err := deleter.Delete([]byte("xrow")); err != nil {
		t.Fatal(err)
	}
	if err := deleter.Commit(); err != nil {
		t.Fatalf("Badger has become stricter: %v", err)
	}
	s.commit(persistence.Batch{}) // publishes
	s.want(false, "row")
}
