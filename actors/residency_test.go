package actors_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// read has a conversation used, without anything that would have to be written.
func read(e *actorstest.Engine, name string) {
	e.Do(name, &conversation.Read{User: "ann", Seq: 1})
}

func TestConversationsInDailyUseStayInMemoryThroughAScan(t *testing.T) {
	const bound, hot = 8 * persistence.Shards, 3 * persistence.Shards
	actorstest.Run(t, actors.Config{MaxActive: bound, MaxPackedBytes: -1}, func(t *testing.T, e *actorstest.Engine) {
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
	config := actors.Config{MaxActive: bound, MaxPackedBytes: -1, Observer: &actors.Observer{Bounded: func(i actors.BoundedInfo) { told = append(told, i) }}}
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

// packing keeps conversations packed that leave memory, which each does soon.
func packing() actors.Config {
	config := hourly()
	config.Default.ExpireAfter = time.Hour
	config.MaxActive, config.MaxPackedBytes = persistence.Shards, 64<<20
	return config
}

func TestAPackedConversationComesBackWithoutReadingTheStore(t *testing.T) {
	actorstest.Run(t, packing(), func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1, "bob")
		e.Advance(10 * time.Minute) // it leaves memory
		if c := e.Stats().Cells; c.Packed != 1 || c.PackedBytes == 0 || c.Active != 0 {
			t.Fatalf("%+v, want it to be packed", c)
		}
		e.Break(actorstest.ReadsFail(nil))
		if r := e.Do("group:1", &conversation.Read{User: "bob", Seq: 1}); r.Err != nil || !r.Changed || r.Membership.Unread != 0 {
			t.Errorf("a read was answered with %+v", r)
		}
		if c := e.Stats().Cells; c.Packed != 1 || c.Unpacked != 1 || c.Active != 0 {
			t.Errorf("%+v, want it to be packed again", c)
		}
		e.Heal()
	})
}

func TestWhatIsPackedIsDroppedWithTheRowsThatTheStoreDoesNotTake(t *testing.T) {
	config := packing()
	config.FlushInterval = 20 * time.Minute
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1, "bob")
		e.Advance(time.Millisecond) // it is in the store
		e.ProposeFunc(&actors.Proposal{Conversation: "group:1", Ack: actors.AckApplied, Change: &conversation.Post{Seq: 2, Sender: "ann"}}, func(*actors.Reply) {})
		refused := 0
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			for _, g := range b.Groups {
				if slices.ContainsFunc(g.Puts, func(p persistence.Put) bool { return bytes.Equal(p.Key, persistence.HeadKey("group:1")) }) {
					refused++
					return errors.New("cannot write this")
				}
			}
			return nil
		}})
		e.Advance(10 * time.Minute) // it leaves memory; the journal is not written yet
		if c := e.Stats().Cells; c.Packed != 1 {
			t.Fatalf("%+v, want it to be packed", c)
		}
		e.Advance(15 * time.Minute)
		e.Post("group:2", "ann", 1) // one batch with both: it is found which of them the store does not take
		e.Advance(10 * time.Minute)
		if refused == 0 || e.Stats().Cells.Packed != 1 {
			t.Fatalf("%d writes were refused, and %+v: the test shows nothing", refused, e.Stats().Cells)
		}
		e.Store.SetFaults(persistencetest.Faults{})
		e.Advance(5 * time.Minute) // the quarantine is over
		unpacked := e.Stats().Cells.Unpacked
		r := e.Do("group:1", &conversation.Post{Seq: 3, Sender: "ann"})
		if v := e.View("group:1", "bob"); r.Err != nil || v == nil || v.LastSeq != 3 || v.Membership.Unread != 3 {
			t.Errorf("after the rows were dropped: %+v, %+v", r, v)
		}
		if c := e.Stats().Cells; c.Unpacked != unpacked {
			t.Errorf("%+v: it came back as what the store did not take", c)
		}
	})
}

func TestWhatIsOverIsNotUnpacked(t *testing.T) {
	actorstest.Run(t, packing(), func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1, "bob")
		e.Advance(2 * time.Hour)
		r := e.Post("group:1", "ann", 1) // a late repeat
		if r.Changed || r.LastSeq != 1 {
			t.Errorf("a late repeat was answered with %+v", r)
		}
		r = e.Post("group:1", "ann", 2, "cid")
		if v := e.View("group:1", "bob"); v == nil || v.Membership != nil || !r.Changed {
			t.Errorf("the next generation, %+v, knows a member of the one before: %+v", r, v)
		}
	})
}
