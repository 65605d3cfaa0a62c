package persistencetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// ViolationError is something in a store that contradicts the rest of it.
type ViolationError struct {
	Key  []byte // of the row that is wrong, or should be there
	What string
}

// Error implements error.
func (v *ViolationError) Error() string { return fmt.Sprintf("%q: %s", v.Key, v.What) }

// Check reads a whole store and returns all that is wrong with it, in the order of the keys: each error is a *[ViolationError]. Where the snapshot cannot be
// read, it returns that error alone. It holds everything in memory, and is meant for the end of a test.
//
// These rules hold after every commit of an engine, also in the middle of a deletion and after a crash:
//
//   - Every row decodes, and stands under the key that its names and numbers ask for, in its conversation's shard.
//   - A live head is not due later than it is over, and has a due entry unless it never expires. One that is kept while a member has something unread has one unless it has
//     a witness, who is a member.
//   - A due entry says how its generation ended, or it is the one entry that the live head points to. No generation has two.
//   - A conversation's other rows belong to its live head's generation; or to an older one, or to that one, while a due entry says that it ended, or that a later
//     one did. A tail next to a live head has its generation. Next to a head that began alone, none of them is of an older
//     one, but for an EntryOwn.
//   - A member row has a membership of the same generation, and the other way round.
//   - A live head counts its memberships that have not left, until its generation ended.
//   - A live head that is not large has a roster of its members, if it has any. Until its generation ended, each member and nobody else has the entries that lead a reader
//     of their list to the conversation; see persistence.EntryKind. These reach its last activity and its last change: see persistence.EntryReach.
//     An EntryOwn may be missing, or left over.
//   - A live head's last sender, and the senders in its tail, have a membership, until its generation ended: a user who was forgotten is none of them.
//   - No membership outlived an order to forget its user that is later than the one which is being carried out.
//   - A tombstone that is to be removed at a time of its own is of a generation before a live head's, and of one that no due entry is of.
//   - A generation has at most one event, and then neither a live head nor a due entry.
func Check(ctx context.Context, snapshot persistence.Snapshot) []error {
	c := &checker{
		conversations: make(map[string]*conversation), orders: make(map[string]persistence.Instant),
		next: make(map[persistence.Shard]uint64), last: make(map[persistence.Shard]uint64),
	}
	for row, err := range snapshot.Scan(ctx, persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			return []error{fmt.Errorf("persistencetest: check: %w", err)}
		}
		c.read(bytes.Clone(row.Key), row.Value)
	}
	c.judge()
	slices.SortStableFunc(c.found, func(a, b *ViolationError) int {
		return cmp.Or(bytes.Compare(a.Key, b.Key), cmp.Compare(a.What, b.What))
	})
	faults := make([]error, len(c.found))
	for i, violation := range c.found {
		faults[i] = violation
	}
	return faults
}

type checker struct {
	conversations map[string]*conversation
	orders        map[string]persistence.Instant // to forget a user, by the user: when they were given
	next          map[persistence.Shard]uint64   // event number, as the owner has it
	last          map[persistence.Shard]uint64   // event number found
	found         []*ViolationError
}

// conversation is all rows of one conversation.
type conversation struct {
	head        *persistence.Head
	tombstone   *persistence.Tombstone
	tail        *persistence.Tail
	members     map[string]persistence.Generation
	memberships map[string]*persistence.Membership
	dues        []dueEntry
	roster      *persistence.Roster
	entries     map[string]persistence.Generation // by their keys
	events      map[persistence.Generation][]byte // their keys
	graves      map[persistence.Generation][]byte // the keys of what has their tombstones removed
}

type dueEntry struct {
	key        []byte
	deadline   persistence.Instant
	generation persistence.Generation
	ended      *persistence.Ended
}

func (c *checker) report(key []byte, format string, args ...any) {
	c.found = append(c.found, &ViolationError{Key: key, What: fmt.Sprintf(format, args...)})
}

func (c *checker) of(name string) *conversation {
	if c.conversations[name] == nil {
		c.conversations[name] = &conversation{
			members:     make(map[string]persistence.Generation),
			memberships: make(map[string]*persistence.Membership),
			events:      make(map[persistence.Generation][]byte),
			entries:     make(map[string]persistence.Generation),
		}
	}
	return c.conversations[name]
}
