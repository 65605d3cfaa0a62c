package actors

import (
	"context"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// together is how far apart entries may stand that are looked up in one go.
const together = persistence.EntryReach / 4

// active goes through the conversations of small rosters, in the order of their entries, from the latest on, until those that are still to come can only be behind the page: they were last active less than
// [persistence.EntryReach] after their entries.
func (l *listing) active(ctx context.Context) error {
	newest := forever
	if l.after != nil && l.after.Pin == 0 {
		newest = l.after.Ordered // what stands later was active later
	}
	var near []entry
	for next, err := range l.index.entries(ctx, persistence.EntryActive, newest, 0) {
		if err != nil {
			return err
		}
		if len(near) > 0 && next.at <= near[0].at-together {
			if err := l.addTogether(ctx, near); err != nil {
				return err
			}
			near = near[:0]
		}
		if len(near) == 0 && l.above(next.at+persistence.EntryReach) > l.limit {
			return nil
		}
		near = append(near, next)
	}
	return l.addTogether(ctx, near)
}

// addTogether adds conversations whose entries are near each other, as far as they may be on the page. Where they are far more than it has room for, the heads are asked
// first, in which order they stand. It uses entries up.
func (l *listing) addTogether(ctx context.Context, entries []entry) error {
	entries = l.unknown(entries)
	if selective := l.query.UnreadOnly || l.query.TagsAny != 0 || l.query.Hidden; !selective && len(entries) > 2*(l.limit+1) {
		return l.addInOrder(ctx, entries)
	}
	for part := range slices.Chunk(entries, atOnce) {
		if err := l.add(ctx, persistence.EntryActive, part); err != nil {
			return err
		}
	}
	return nil
}

// addInOrder looks conversations up in the order of their heads, until those that are still to come are behind the page. One that moves up meanwhile may be missing; one that
// moves down stands where it went, and the others are read on.
func (l *listing) addInOrder(ctx context.Context, entries []entry) error {
	type placed struct {
		listPlace
		entry
	}
	places := make([]placed, 0, len(entries))
	for part := range slices.Chunk(entries, atOnce) {
		heads, err := l.lookAll(ctx, "", namesOf(part), &l.cost)
		if err != nil {
			return err
		}
		for i, e := range part {
			if !heads[i].alive {
				continue
			}
			place := listPlace{Ordered: heads[i].rows.Head.Ordered, Name: e.name}
			if l.after == nil || l.after.compare(&place) < 0 {
				places = append(places, placed{place, e})
			}
		}
	}
	slices.SortFunc(places, func(a, b placed) int { return a.compare(&b.listPlace) })
	for part := range slices.Chunk(places, l.limit+1) {
		l.trim()
		if len(l.found) > l.limit && l.found[l.limit].compare(&part[0].listPlace) < 0 {
			return nil
		}
		next := make([]entry, len(part))
		for i := range part {
			next[i] = part[i].entry
		}
		if err := l.add(ctx, persistence.EntryActive, next); err != nil {
			return err
		}
	}
	return nil
}
