package actors

import (
	"context"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// seen is what a reader found of a conversation.
type seen struct {
	rows  conversation.Rows
	alive bool
	ended *persistence.Head      // of a generation that is over, while it is there
	stale persistence.Generation // in which the user was a member, where a later one is alive of which they are none
	// forgotten is the generation that has yet to forget the user: they are no member of it already.
	forgotten persistence.Generation
}

// look reads what is to be known of a conversation, and of a user in it unless that is "": all as of one moment.
func (e *Engine) look(ctx context.Context, name, user string, cost *ReadCost) (seen, error) {
	var found [1]seen
	err := e.lookEach(ctx, user, []string{name}, found[:], cost)
	return found[0], err
}

// lookEach is look for several conversations, each as of a moment of its own. What is not in the store yet is asked for first and the snapshot is taken after that, as
// newest explains; a conversation that has nothing in the journal is as the snapshot has it.
func (e *Engine) lookEach(ctx context.Context, user string, names []string, found []seen, cost *ReadCost) error {
	if e.stopped() {
		return unavailable(names[0], ErrStopped)
	}
	// Before anything is read: once it is carried out, there is nothing of the user to be read.
	order := e.orders.of(user)
	looks := make([]looking, len(names))
	for i, name := range names {
		looks[i].name, looks[i].user, looks[i].order = name, user, order
	}
	e.settleEach(names...)
	for _, i := range e.journal.Pending(names) {
		l := &looks[i]
		l.pending = e.journal.Lookup(l.name, l.keys()...)
	}
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return unavailable(names[0], err)
	}
	defer snapshot.Close()
	now := e.clock.now()
	for i, name := range names {
		if found[i], err = looks[i].look(ctx, snapshot, now, cost); err != nil {
			return unavailable(name, err)
		}
	}
	return nil
}

// looking is a look at one conversation.
type looking struct {
	name, user string
	order      persistence.Instant // to forget the user; zero: none
	pending    [][]byte            // by lookRow, what is not in the store yet; nil: nothing
}

// lookRow is a row that a look may need.
type lookRow int

const (
	lookHead lookRow = iota
	lookMembership
	lookTail
	lookRoster
	lookRows
)

func (l *looking) key(row lookRow) []byte {
	switch row {
	case lookMembership:
		return persistence.MembershipKey(l.user, l.name)
	case lookTail:
		return persistence.TailKey(l.name)
	case lookRoster:
		return persistence.RosterKey(l.name)
	case lookHead, lookRows:
	}
	return persistence.HeadKey(l.name)
}

// keys returns those of all rows that the look may need.
func (l *looking) keys() [][]byte {
	n := lookRows
	if l.user == "" {
		n = lookHead + 1
	}
	keys := make([][]byte, n)
	for row := range n {
		keys[row] = l.key(row)
	}
	return keys
}

func (l *looking) get(ctx context.Context, snapshot persistence.Snapshot, row lookRow, cost *ReadCost) ([]byte, error) {
	var pending []byte
	if l.pending != nil {
		pending = l.pending[row]
	}
	if pending != nil {
		cost.Pending++
	}
	cost.Rows++
	return newer(ctx, snapshot, l.key(row), pending)
}

// look reads the tail only where it counts, and the roster of pairs alone.
func (l *looking) look(ctx context.Context, snapshot persistence.Snapshot, now persistence.Instant, cost *ReadCost) (found seen, err error) {
	cost.Conversations++
	head, err := l.get(ctx, snapshot, lookHead, cost)
	if err != nil {
		return seen{}, err
	}
	var membership []byte
	if l.user != "" {
		if membership, err = l.get(ctx, snapshot, lookMembership, cost); err != nil {
			return seen{}, err
		}
	}
	if found.rows, found.alive, err = conversation.Decode(head, nil, membership, now); err != nil {
		return seen{}, err
	}
	if !found.alive {
		if head != nil {
			found.ended, _, err = persistence.DecodeHead(head)
		}
		return found, err
	}
	if found.rows.Forget(l.order) {
		found.forgotten = found.rows.Head.Generation
	} else if membership != nil && found.rows.Membership == nil {
		if found.stale, err = persistence.GenerationOf(membership); err != nil {
			return seen{}, err
		}
	}
	if found.rows.NeedsTail() {
		tail, err := l.get(ctx, snapshot, lookTail, cost)
		if err != nil {
			return seen{}, err
		}
		if err := found.rows.AddTail(tail); err != nil {
			return seen{}, err
		}
	}
	if l.user != "" && found.rows.Head.Members == 2 && !found.rows.Head.Large {
		roster, err := l.get(ctx, snapshot, lookRoster, cost)
		if err != nil {
			return seen{}, err
		}
		if err := found.rows.AddRoster(roster); err != nil {
			return seen{}, err
		}
	}
	return found, nil
}
