package load

import (
	"context"
	"time"

	"github.com/parley-im/parley/actors"
)

// Target takes a load. [Embedded] is one; a server over the wire is another. Its methods are called from many goroutines.
type Target interface {
	// ProposeBatch is [actors.Engine.ProposeBatch]: it returns once all are answered. An error says that none is: it counts as a failure of each.
	ProposeBatch(ctx context.Context, batch []*actors.Proposal) ([]actors.Reply, error)
	// Sync is [actors.Engine.Sync]. Of the page only Cursor and More are looked at.
	Sync(ctx context.Context, q actors.SyncQuery) (actors.SyncPage, error)
	// Vitals says how the process is that runs the engine. It is called about once a second.
	Vitals(ctx context.Context) (Vitals, error)
	// Expirations tells of each generation of an expiring conversation that is gone, durably, until ctx ends or there is an error. began is called once nothing will be missed any more.
	Expirations(ctx context.Context, began func(), tell func(Expiration)) error
}

// Vitals is how the process is that runs the engine. Counts grow; what is not known is 0.
type Vitals struct {
	HeapBytes   uint64        // in use: live, or not collected yet
	RSSBytes    uint64        // memory resident
	Goroutines  uint64        //
	GCCycles    uint64        // collections so far
	GCPauses    time.Duration // for how long everything stood still for them, in all
	DeletedRows uint64        // rows that the reaper has deleted
	Backlog     uint64        // generations that are due, about
}

// Expiration is a generation that is gone.
type Expiration struct {
	Conversation string
	Lateness     time.Duration // from its deadline to its durable deletion, by the engine's clock
}

// asynchronous is a target that takes a single proposal without a goroutine that waits: see [actors.Engine.ProposeFunc].
type asynchronous interface {
	ProposeFunc(p *actors.Proposal, answer func(*actors.Reply))
}

// clocked is a target whose clock stands still until it is told to go on, so that everything in it has one deadline. In other targets, what is to expire is deleted.
type clocked interface{ goOn() }
