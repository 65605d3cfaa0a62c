package actors_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// read has a conversation used, without anything that would have to be written.
func read(e *actorstest.Engine, name string) {
	e.Do(name, &conversation.Read{User: "ann", Seq: 1})
}

func TestConversationsInDailyUseStayInMemoryThroughAScan(t *testing.T) {
	const bound, hot = 8 * persistence.Shards, 3 * persistence.Shards
	actorstest.Run(t, actors.Config{MaxActive: bound}, func(t *testing.T, e *actorstest.Engine) {
		for i := range hot {
			e.Post(fmt.Sprint("hot:", i), "ann", 1)
		}
		for range 4 {
			for i := range hot {
				read(e, fmt.Sprint("hot:", i))
			}
		}
		active := func() (n int) {
			for i := range hot {
				if e.Active(fmt.Sprint("hot:", i)) {
					n++
				}
			}
			return n
		}
		before := active()
		for i := range 10 * bound {
			e.Post(fmt.Sprint("scan:", i), "ann", 1)
		}
		e.Advance(0)
		if n := active(); before < hot*9/10 || n < hot*9/10 {
			t.Errorf("of %d hot conversations %d are active before and %d after a scan, want nine of ten", hot, before, n)
		}
		if c := e.Stats().Cells; c.Active > bound || c.Bound != bound || c.Evictions < 9*bound {
			t.Errorf("%d are active of %d that may be, after %d evictions", c.Active, c.Bound, c.Evictions)
		}
	})
}

func TestFewerConversationsMayBeActiveWhileMemoryIsShort(t *testing.T) {
	const bound = 8 * persistence.Shards
	var used atomic.Uint64
	var told []actors.BoundedInfo
	config := actors.Config{MaxActive: bound, Observer: &actors.Observer{Bounded: func(i actors.BoundedInfo) { told = append(told, i) }}}
	config.Memory(func() (uint64, uint64) { return used.Load(), 1000 })
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		for i := range bound {
			e.Post(fmt.Sprint("group:", i), "ann", 1)
		}
		before := e.Stats().Cells
		used.Store(900)
		e.Advance(5 * time.Second)
		squeezed := e.Stats().Cells
		if before.Active < bound*3/4 || squeezed.Active > bound/4 || squeezed.Active > squeezed.Bound || squeezed.Memory != 900 || squeezed.MemoryLimit != 1000 {
			t.Errorf("before: %+v; while memory is short: %+v", before, squeezed)
		}
		used.Store(100)
		e.Advance(time.Minute)
		if c := e.Stats().Cells; c.Bound != bound {
			t.Errorf("with room again: %+v, want the bound to be %d", c, bound)
		}
		if len(told) < 4 || told[0].Before != bound || told[0].Bound >= bound || told[0].Used != 900 || told[0].Limit != 1000 || told[len(told)-1].Bound != bound {
			t.Errorf("told %+v", told)
		}
		for i := range bound {
			if v := e.View(fmt.Sprint("group:", i), "ann"); v == nil || v.LastSeq != 1 {
				t.Fatalf("group:%d is %+v", i, v)
			}
		}
	})
}
