package actors

import (
	"runtime"
	"testing"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// A proposal that came in before is not done with until its worker's turn is: nobody says meanwhile that its conversation has no cell.
func TestWhetherAConversationHasACellIsSaidBetweenTurns(t *testing.T) {
	e, err := Start(t.Context(), nil, persistencetest.NewStore(), Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	due := []*dying{}
	for _, name := range []string{"group:1", "group:2"} {
		due = append(due, &dying{conversation: name, shard: persistence.ShardOf(name)})
	}
	k := &docket{engine: e, due: due}
	w := e.workers[0]
	for has := false; !has; runtime.Gosched() { // what a start does may have it
		w.mu.Lock()
		has, w.taken = !w.taken, true
		w.mu.Unlock()
	}
	var vacant []unheard
	var rest []*dying
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		vacant, rest = k.vacant()
	}()
	for waiting := 0; waiting == 0; runtime.Gosched() { // the dispatcher takes no task before it has the turn
		w.mu.Lock()
		waiting = w.tasks.len()
		w.mu.Unlock()
	}
	s := e.shards[due[0].shard]
	c := s.cell("group:1", nil)
	before := e.clock.now()
	w.mu.Lock()
	w.taken = false
	w.mu.Unlock()
	w.some.Signal()
	<-looked
	if len(vacant) != 1 || vacant[0].conversation != "group:2" || len(rest) != 1 || rest[0].conversation != "group:1" {
		t.Errorf("vacant: %+v, rest: %+v; want group:2 and group:1", vacant, rest)
	}
	for _, u := range vacant {
		if u.at < before {
			t.Errorf("%s had no cell at %v, in a turn that had not ended at %v", u.conversation, u.at, before)
		}
	}
	if c.trySeal() {
		s.cells.remove(c)
	}
}
