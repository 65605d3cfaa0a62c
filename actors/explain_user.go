package actors

import (
	"context"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// member says what the user is shown of the generation, whether that is over or not; nothing where head is nil.
func (x *explaining) member(ctx context.Context, head *persistence.Head) (*UserExplanation, error) {
	u := &UserExplanation{User: x.user}
	value, pending, err := x.get(ctx, persistence.MembershipKey(x.user, x.name))
	if err != nil || value == nil {
		return u, err
	}
	u.Pending = pending
	rows := conversation.Rows{Head: head}
	if rows.Membership, err = persistence.DecodeMembership(value); err != nil {
		return nil, err
	}
	if head == nil || rows.Membership.Generation != head.Generation {
		u.Stale = rows.Membership.Generation
		return u, nil
	}
	rows.Membership.Follow(head)
	tail, _, err := x.get(ctx, persistence.TailKey(x.name))
	if err != nil {
		return nil, err
	}
	if err := rows.AddTail(tail); err != nil {
		return nil, err
	}
	u.Membership, u.Muted, u.Hide = rows.Membership, x.now < rows.Membership.MutedUntil, rows.HideInForce()
	u.Unread, _ = rows.UnreadSum(x.user)
	u.Listed, _ = rows.Listed()
	return u, x.entries(ctx, head, u)
}

// entries looks for each of the entries that should lead to the conversation.
func (x *explaining) entries(ctx context.Context, h *persistence.Head, u *UserExplanation) error {
	for _, should := range shouldStand(x.name, h, u.Membership) {
		key := persistence.EntryKey(x.user, should.kind, should.at, x.name)
		entry := EntryExplanation{Kind: should.kind, At: should.at.Time(), Moves: should.moves.Time()}
		var pending bool
		var err error
		if entry.Present, pending, err = x.present(ctx, key); err != nil {
			return err
		}
		u.Pending = u.Pending || pending
		u.Entries = append(u.Entries, entry)
	}
	return nil
}

// standing is an entry that a user's index should have.
type standing struct {
	kind      persistence.EntryKind
	at, moves persistence.Instant // zero: none
}

func shouldStand(name string, h *persistence.Head, m *persistence.Membership) (entries []standing) {
	add := func(kind persistence.EntryKind, at, from persistence.Instant) {
		if at != 0 {
			entries = append(entries, standing{kind: kind, at: at, moves: conversation.EntryStays(name, max(at, from))})
		}
	}
	if absent := m.Left && !m.Keep; !absent {
		if m.Pin != 0 {
			entries = append(entries, standing{kind: persistence.EntryPinned})
		}
		if m.Left || h.Large {
			entries = append(entries, standing{kind: persistence.EntryMerged})
		} else {
			add(persistence.EntryActive, h.Listed, 0)
			add(persistence.EntryNoticed, h.Noticed, h.Listed)
		}
	}
	add(persistence.EntryOwn, m.Noticed, 0)
	return entries
}
