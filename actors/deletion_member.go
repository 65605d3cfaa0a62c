package actors

import (
	"bytes"
	"context"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// listed is a user of whom a conversation has a member row.
type listed struct {
	user       string
	generation persistence.Generation // of the row: the last that they were in
}

// membersOf reads the member rows of what is to be deleted, of all in one go.
func membersOf(ctx context.Context, snapshot persistence.Snapshot, batch []*dying) (map[string][]listed, error) {
	members := make(map[string][]listed, len(batch)) // by conversation, of which two generations may be over
	ranges := make([]persistence.Range, 0, len(batch))
	for _, d := range batch {
		if _, twice := members[d.conversation]; !twice {
			members[d.conversation] = nil
			ranges = append(ranges, persistence.MembersRange(d.conversation))
		}
	}
	slices.SortFunc(ranges, func(a, b persistence.Range) int { return bytes.Compare(a.Start, b.Start) })
	for row, err := range snapshot.Scan(ctx, ranges...) {
		if err != nil {
			return nil, err
		}
		generation, err := persistence.GenerationOf(row.Value)
		if err != nil {
			return nil, err
		}
		name, user, err := persistence.ParseMemberKey(row.Key)
		if err != nil {
			return nil, err
		}
		members[name] = append(members[name], listed{user, generation})
	}
	return members, nil
}

// rowsOfMember is about how many rows of a member are removed, and rowsOfMemberAtMost how many are tried.
const (
	rowsOfMember       = 4
	rowsOfMemberAtMost = 6
)

// indexed says by which entries a user's index may find a conversation.
type indexed struct {
	persistence.Index

	merged, pinned bool              // there may be one of these
	seen           persistence.Sight // of those that stand where the index says; zero: they may be missing
}

// entriesOf returns which entries a user may have of the generation, and of those before it that are not deleted yet. Of one in the roster of a generation that was judged by what is in the store it is known, as nothing changes a
// generation that is over: there are those that all in the roster have. Where it began alone, there is no other, but for that of what is pinned where anybody has it pinned. Most of what looking up the rows of a deletion takes is
// spared by that.
func (d *dying) entriesOf(user string, index persistence.Index) indexed {
	head := d.seen.head
	if head.Snapshot == 0 {
		return indexed{index, true, true, persistence.Sight{}}
	}
	if _, rostered := slices.BinarySearch(d.ending.Users, user); !rostered {
		return indexed{index, true, true, persistence.Sight{}}
	}
	if !d.ending.Alone { // one of an earlier generation, which failed for long, may have been left: whoever is deleted last takes it
		return indexed{index, true, true, head}
	}
	return indexed{index, false, d.ending.Pins > 0, head}
}

// removeMember adds the removal of one user's rows to a group: all are guarded by generation. The rows of one who is in a later generation by now have taken
// the place of most of those of this one, but not of its entries. The user was read in a snapshot of this number. A user's devices are told of the removal, unless the user is back.
func removeMember(g *persistence.Group, d *dying, m listed, read uint64, has indexed, reason persistence.Reason, stamp persistence.Instant) {
	remove := func(key []byte, seen persistence.Sight) {
		g.Deletes = append(g.Deletes, persistence.Delete{Key: key, UpTo: d.generation, Seen: seen})
	}
	if again := m.generation > d.generation; !again {
		seen := persistence.Sight{Snapshot: read, Generation: m.generation}
		// The one is never in the store without the other: they are put together, and go together.
		remove(persistence.MembershipKey(m.user, d.conversation), seen)
		remove(persistence.MemberKey(d.conversation, m.user), seen)
		g.Puts = append(g.Puts, persistence.Put{
			Key:   persistence.RemovalKey(m.user, uint64(stamp), d.conversation),
			Value: persistence.Removal{Generation: d.generation, Reason: reason}.Encode(),
		})
	}
	entry := func(kind persistence.EntryKind, at persistence.Instant, seen persistence.Sight) {
		remove(persistence.EntryKey(m.user, kind, at, d.conversation), seen)
	}
	if has.Listed != 0 {
		entry(persistence.EntryActive, has.Listed, has.seen)
	}
	if has.Noticed != 0 {
		entry(persistence.EntryNoticed, has.Noticed, has.seen)
	}
	if has.merged {
		entry(persistence.EntryMerged, 0, persistence.Sight{})
	}
	if has.pinned {
		entry(persistence.EntryPinned, 0, persistence.Sight{})
	}
}
