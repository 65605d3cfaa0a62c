package actors

import (
	"context"
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// active goes through the conversations of small rosters, from the latest period on, until those that are still to come can only be behind the page.
func (l *listing) active(ctx context.Context) error {
	newest := forever
	if l.after != nil && l.after.Pin == 0 {
		newest = conversation.PeriodOf(l.after.Ordered)
	}
	period := newest
	var names []string
	for entry, err := range l.index.entries(ctx, persistence.EntryActive, newest, 0) {
		if err != nil {
			return err
		}
		if entry.at != period {
			if err := l.addPeriod(ctx, period, names); err != nil {
				return err
			}
			names = names[:0]
			if l.above(period) > l.limit {
				return nil
			}
		}
		period = entry.at
		names = append(names, entry.name)
	}
	return l.addPeriod(ctx, period, names)
}

// addPeriod adds conversations that were last active in the same period, as far as they may be on the page. Where they are far more than it has room for, the heads are asked
// first, in which order they stand.
func (l *listing) addPeriod(ctx context.Context, period persistence.Instant, names []string) error {
	names = l.unknown(names)
	if selective := l.query.UnreadOnly || l.query.TagsAny != 0 || l.query.Hidden; !selective && len(names) > 2*(l.limit+1) {
		return l.addInOrder(ctx, period, names)
	}
	for part := range slices.Chunk(names, atOnce) {
		if err := l.add(ctx, persistence.EntryActive, period, part); err != nil {
			return err
		}
	}
	return nil
}

// addInOrder looks conversations up in the order of their heads, until those that are still to come are behind the page. One that moves up meanwhile may be missing; one that
// moves down stands where it went, and the others are read on.
func (l *listing) addInOrder(ctx context.Context, period persistence.Instant, names []string) error {
	places := make([]listPlace, 0, len(names))
	for part := range slices.Chunk(names, atOnce) {
		heads, err := l.lookAll(ctx, "", part, &l.cost)
		if err != nil {
			return err
		}
		for i, name := range part {
			if !heads[i].alive {
				continue
			}
			place := listPlace{Ordered: heads[i].rows.Head.Ordered, Name: name}
			if l.after == nil || l.after.compare(&place) < 0 {
				places = append(places, place)
			}
		}
	}
	slices.SortFunc(places, func(a, b listPlace) int { return a.compare(&b) })
	for part := range slices.Chunk(places, l.limit+1) {
		l.trim()
		if len(l.found) > l.limit && l.found[l.limit].compare(&part[0]) < 0 {
			return nil
		}
		next := make([]string, len(part))
		for i := range part {
			next[i] = part[i].Name
		}
		if err := l.add(ctx, persistence.EntryActive, period, next); err != nil {
			return err
		}
	}
	return nil
}
