package badgerstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

var errAnswerLost = errors.New("the answer was lost")

// held makes each transaction wait for an outcome before it is written: nil, or what its commit comes to, after it was written or instead.
type held struct {
	err    error
	landed bool
}

func hold(s *subject) (outcomes chan<- held) {
	waiting := make(chan held)
	s.committer.write = func(txn *badger.Txn) error {
		o := <-waiting
		if o.err == nil {
			return txn.Commit()
		}
		if o.landed {
			if err := txn.Commit(); err != nil {
				return err
			}
		}
		return o.err
	}
	return waiting
}

func removal(of persistence.Generation) []byte { return persistence.Removal{Generation: of}.Encode() }

// answer is what a commit came to.
type answer struct {
	results []persistence.Result
	err     error
}

func (s *subject) begin(batch persistence.Batch) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		results, err := s.Commit(s.Context(), batch)
		done <- answer{results, err}
	}()
	synctest.Wait()
	return done
}

func (s *subject) group(g persistence.Group) persistence.Batch {
	g.Shard, g.Epoch = 1, s.epoch
	return persistence.Batch{Groups: []persistence.Group{g}}
}

// What is built while a transaction is on its way sees that one's rows, or, should it be lost, what is there instead.
func TestWhatIsBuiltDuringAWriteIsBuiltUponWhatBecomesOfIt(t *testing.T) {
	for name, o := range map[string]held{"written": {}, "lost": {err: errAnswerLost}, "written all the same": {err: errAnswerLost, landed: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), Options{})
				there := o.err == nil || o.landed
				s.commit(s.group(persistence.Group{Puts: []persistence.Put{{Key: []byte("xold"), Value: removal(1)}}}))
				outcomes := hold(s)
				first := s.begin(s.group(persistence.Group{
					Puts:    []persistence.Put{{Key: []byte("xnew"), Value: removal(5)}},
					Deletes: []persistence.Delete{{Key: []byte("xold")}},
					Events:  [][]byte{[]byte("one"), []byte("two")},
				}))
				remove := s.begin(s.group(persistence.Group{
					Requires: []byte("xnew"),
					Puts:     []persistence.Put{{Key: []byte("xold"), Value: removal(9), IfPresent: true}},
					Deletes:  []persistence.Delete{{Key: []byte("xnew"), UpTo: 4}, {Key: []byte("xnew"), UpTo: 5}},
				}))
				left := s.begin(s.group(persistence.Group{
					Deletes: []persistence.Delete{{Key: []byte("xnew")}, {Key: []byte("xold")}},
					Events:  [][]byte{[]byte("three")},
				}))
				outcomes <- o
				synctest.Wait()
				if a := <-first; !errors.Is(a.err, o.err) {
					t.Fatalf("the first: %v, want %v", a.err, o.err)
				}
				outcomes <- held{} // the others share the next one
				a, b := <-remove, <-left
				if a.err != nil || b.err != nil {
					t.Fatalf("the others: %v, %v", a.err, b.err)
				}
				if r := a.results[0]; r.Skipped == there || (there && r.Deleted != 1) {
					t.Errorf("the removal: %+v, with the row there: %v", r, there)
				}
				deleted, event := 1, uint64(1)
				if there {
					deleted, event = 0, 3
				}
				if r := b.results[0]; r.Deleted != deleted || r.FirstEvent != event {
					t.Errorf("what is left: %+v, want %d deleted and event %d", r, deleted, event)
				}
				s.want(false, "new", "old")
			})
		})
	}
}

func TestAnEpochThatIsOnItsWayFencesAndALostOneDoesNot(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprint("lost ", lost), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), Options{})
				outcomes := hold(s)
				acquired := make(chan error, 1)
				go func() {
					_, err := s.Acquire(t.Context(), 1)
					acquired <- err
				}()
				synctest.Wait()
				under := s.begin(s.batch("row"))
				var o held
				if lost {
					o.err = errAnswerLost
				}
				outcomes <- o
				if err := <-acquired; !errors.Is(err, o.err) {
					t.Fatal(err)
				}
				synctest.Wait()
				select {
				case a := <-under:
					t.Fatalf("answered before it was known what it was built upon: %+v", a)
				default:
				}
				outcomes <- held{}
				a := <-under
				if a.err != nil || errors.Is(a.results[0].Err, persistence.ErrFenced) == lost {
					t.Errorf("%+v, the epoch lost: %v", a, lost)
				}
				s.want(lost, "row")
			})
		})
	}
}

func TestNothingIsSeenBeforeItIsOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		outcomes := hold(s)
		first := s.begin(s.batch("one"))
		second := s.begin(s.batch("two"))
		s.want(false, "one", "two")
		outcomes <- held{}
		synctest.Wait()
		if a := <-first; a.err != nil {
			t.Fatal(a.err)
		}
		s.want(true, "one")
		s.want(false, "two")
		select {
		case a := <-second:
			t.Fatalf("the second is answered, and is not written: %+v", a)
		default:
		}
		outcomes <- held{}
		<-second
		s.want(true, "two")
	})
}

// Callers that each have rows of their own repeat what fails until it does not, as the engine does; any write may fail, whether it was carried out or not.
func TestWritesThatFailAtRandomLeaveWhatEachCallerWasTold(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := open(t, t.TempDir(), Options{NoSync: true})
			var mu sync.Mutex
			chance := rand.New(rand.NewPCG(seed, 1))
			s.committer.write = func(txn *badger.Txn) error {
				mu.Lock()
				outcome := chance.IntN(4)
				mu.Unlock()
				switch outcome {
				case 0:
					return errAnswerLost
				case 1:
					if err := txn.Commit(); err != nil {
						return err
					}
					return errAnswerLost
				}
				return txn.Commit()
			}
			const callers, steps, keys = 6, 150, 5
			models := make([]map[string]persistence.Generation, callers)
			events := make([][]uint64, callers)
			var group sync.WaitGroup
			for c := range callers {
				random := rand.New(rand.NewPCG(seed, uint64(c)+100))
				model := map[string]persistence.Generation{}
				models[c] = model
				group.Go(func() {
					for range steps {
						key := fmt.Sprintf("x%d-%d", c, random.IntN(keys))
						generation := persistence.Generation(1 + random.IntN(5))
						g := persistence.Group{Events: [][]byte{[]byte(key)}}
						if of, ok := model[key]; random.IntN(2) == 0 {
							g.Puts = []persistence.Put{{Key: []byte(key), Value: removal(generation)}}
							model[key] = generation
						} else {
							g.Requires = nil
							if random.IntN(2) == 0 {
								g.Requires = []byte(key) // which makes it foreseen
							}
							g.Deletes = []persistence.Delete{{Key: []byte(key), UpTo: generation}}
							if ok && of <= generation {
								delete(model, key)
							}
						}
						for {
							results, err := s.Commit(t.Context(), s.group(g))
							if errors.Is(err, errAnswerLost) {
								continue
							}
							if err != nil || results[0].Err != nil {
								t.Errorf("%v, %+v", err, results)
								return
							}
							if !results[0].Skipped {
								events[c] = append(events[c], results[0].FirstEvent)
							}
							break
						}
					}
				})
			}
			group.Wait()
			s.committer.write = (*badger.Txn).Commit
			seen := map[uint64]bool{}
			for c, model := range models {
				for i := range keys {
					name := fmt.Sprintf("%d-%d", c, i)
					_, there := model["x"+name]
					s.want(there, name)
				}
				for _, event := range events[c] {
					if seen[event] {
						t.Errorf("event number %d was given twice", event)
					}
					seen[event] = true
				}
			}
		})
	}
}
