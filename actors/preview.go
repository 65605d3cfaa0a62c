package actors

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// PreviewQuery asks what would be over by a time if nothing happened until then.
type PreviewQuery struct {
	Until     time.Time
	Namespace string // "": all
	Names     int    // how many conversations are named, those that are over first; 0: ten; at most MaxPreviewed
}

// MaxPreviewed is how many conversations, and how many hours of namespaces, a [Preview] has at most.
const MaxPreviewed = 1_000

const (
	defaultPreviewed = 10
	// previewReads is how many due entries are read from one snapshot.
	previewReads = 4_096
)

// Preview says what would be over by a time if nothing happened until then. It goes by the deadlines that conversations have: a policy that was not applied to them counts for nothing.
type Preview struct {
	At            time.Time // by the engine's clock
	Conversations uint64
	Members       uint64 // of those
	Overdue       uint64 // among the conversations, those that are over now and have yet to be deleted
	// IfRead is how many more conversations' retention will have run out: each is over once nobody has anything unread. Those of whom somebody is known to have, which are kept
	// for as long, are not counted.
	IfRead  uint64
	Hours   []PreviewHour // by time, then by namespace; at most MaxPreviewed
	LeftOut uint64        // conversations of later hours
	First   []PreviewedConversation
}

// PreviewHour is what would be over in an hour.
type PreviewHour struct {
	Hour          time.Time // when it begins
	Namespace     string
	Conversations uint64
	Members       uint64
}

// PreviewedConversation is one that would be over.
type PreviewedConversation struct {
	Conversation string
	Deadline     time.Time
	Members      uint64
}

// PreviewExpiry says what would be over by a time. It reads the due entries up to then and the heads that they are of, and changes nothing. What changes meanwhile may be
// counted as it was or as it is. Errors are *[conversation.Error]: ErrInvalid with the query's field, or ErrUnavailable; or ctx's.
func (e *Engine) PreviewExpiry(ctx context.Context, q PreviewQuery) (Preview, error) {
	p, err := newPreviewing(q, e.clock.now())
	if err != nil {
		return Preview{}, err
	}
	head := func(name string) ([]byte, error) {
		values, err := e.newest(ctx, name, persistence.HeadKey(name))
		if err != nil {
			return nil, err
		}
		return values[0], nil
	}
	for _, s := range e.shards {
		pending, _ := e.journal.Dues(s.number)
		p.seen = map[string]struct{}{}
		for _, entry := range pending {
			if err == nil {
				err = p.entry(entry.Key, entry.Value, head)
			}
		}
		if err == nil {
			err = p.shard(ctx, s.number, e.store.Snapshot, head)
		}
		if err != nil {
			return Preview{}, p.refused(ctx, err)
		}
	}
	return p.result(), nil
}

// PreviewStored says what [Engine.PreviewExpiry] would of a store that no engine runs on, as it is in a snapshot.
func PreviewStored(ctx context.Context, snapshot persistence.Snapshot, now time.Time, q PreviewQuery) (Preview, error) {
	p, err := newPreviewing(q, persistence.InstantOf(now))
	if err != nil {
		return Preview{}, err
	}
	head := func(name string) ([]byte, error) {
		value, err := snapshot.Get(ctx, persistence.HeadKey(name))
		if errors.Is(err, persistence.ErrNotFound) {
			return nil, nil
		}
		return value, err
	}
	for shard := range persistence.Shards {
		p.seen = nil
		again := func() (persistence.Snapshot, error) { return unclosed{snapshot}, nil }
		if err := p.shard(ctx, persistence.Shard(shard), again, head); err != nil {
			return Preview{}, p.refused(ctx, err)
		}
	}
	return p.result(), nil
}

// unclosed is a snapshot that is the caller's to close.
type unclosed struct{ persistence.Snapshot }

func (unclosed) Close() {}

// previewing is a preview that is being put together.
type previewing struct {
	query      PreviewQuery
	now, until persistence.Instant
	seen       map[string]struct{} // entries of the shard that the journal had; nil: none
	preview    Preview
	hours      map[hourOf]*PreviewHour
}

type hourOf struct {
	at        persistence.Instant
	namespace string
}

func newPreviewing(q PreviewQuery, now persistence.Instant) (*previewing, error) {
	switch {
	case q.Until.IsZero():
		return nil, conversation.Invalid("until", "must be set")
	case q.Names < 0 || q.Names > MaxPreviewed:
		return nil, conversation.Invalid("names", fmt.Sprintf("must be 0 to %d", MaxPreviewed))
	}
	if err := checkNamespace(q.Namespace); err != nil {
		return nil, err
	}
	q.Names = cmp.Or(q.Names, defaultPreviewed)
	return &previewing{query: q, now: now, until: max(0, persistence.InstantOf(q.Until)), hours: map[hourOf]*PreviewHour{}}, nil
}

func (p *previewing) refused(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	return unavailable("", err)
}

// shard goes through a shard's entries, a few from each snapshot.
func (p *previewing) shard(
	ctx context.Context, shard persistence.Shard, open func() (persistence.Snapshot, error), head func(string) ([]byte, error),
) error {
	within := persistence.DueRange(shard, 0, p.until)
	for {
		entries, err := p.page(ctx, within, open)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, entry := range entries {
			if _, again := p.seen[string(entry.Key)]; again {
				continue
			}
			if err := p.entry(entry.Key, entry.Value, head); err != nil {
				return err
			}
		}
		within = within.After(entries[len(entries)-1].Key)
	}
}

func (p *previewing) page(ctx context.Context, within persistence.Range, open func() (persistence.Snapshot, error)) (entries []persistence.Row, err error) {
	snapshot, err := open()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(ctx, within) {
		if err != nil {
			return nil, err
		}
		if entries = append(entries, persistence.Row{Key: bytes.Clone(row.Key), Value: bytes.Clone(row.Value)}); len(entries) == previewReads {
			break
		}
	}
	return entries, nil
}

// entry counts the generation of a due entry, if that is over by then. An entry may be earlier than the deadline, which stands in the head.
func (p *previewing) entry(key, value []byte, read func(name string) ([]byte, error)) error {
	name, due, generation, err := persistence.ParseDueKey(key)
	if err != nil || due > p.until {
		return err
	}
	if p.seen != nil {
		p.seen[string(key)] = struct{}{}
	}
	if p.query.Namespace != "" && persistence.Namespace(name) != p.query.Namespace {
		return nil
	}
	entry, err := persistence.DecodeDue(value)
	if err != nil {
		return err
	}
	if entry.Ended != nil {
		p.count(name, entry.Ended.Deadline, uint64(len(entry.Ended.Users)))
		return nil
	}
	row, err := read(name)
	if err != nil || row == nil {
		return err
	}
	head, _, err := persistence.DecodeHead(row)
	switch {
	case err != nil || head == nil || head.Generation != generation || head.Due != due:
	case head.Deadline <= p.until:
		p.count(name, head.Deadline, head.Members)
	case head.Kept != 0 && head.Kept <= p.until:
		p.preview.IfRead++
	}
	return err
}

// hourBegan returns when the hour of the clock began that a moment is in.
func hourBegan(at persistence.Instant) persistence.Instant {
	const hour = persistence.Instant(time.Hour / time.Microsecond)
	return at - at%hour
}

func (p *previewing) count(name string, deadline persistence.Instant, members uint64) {
	p.preview.Conversations++
	p.preview.Members += members
	if deadline <= p.now {
		p.preview.Overdue++
	}
	at := hourOf{hourBegan(deadline), persistence.Namespace(name)}
	hour := p.hours[at]
	if hour == nil {
		hour = &PreviewHour{Hour: at.at.Time(), Namespace: at.namespace}
		p.hours[at] = hour
	}
	hour.Conversations++
	hour.Members += members
	found := PreviewedConversation{Conversation: name, Deadline: deadline.Time(), Members: members}
	i, _ := slices.BinarySearchFunc(p.preview.First, found, func(a, b PreviewedConversation) int {
		return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.Conversation, b.Conversation))
	})
	if i < p.query.Names {
		p.preview.First = slices.Insert(p.preview.First, i, found)
		p.preview.First = p.preview.First[:min(len(p.preview.First), p.query.Names)]
	}
}

func (p *previewing) result() Preview {
	p.preview.At = p.now.Time()
	for _, hour := range p.hours {
		p.preview.Hours = append(p.preview.Hours, *hour)
	}
	slices.SortFunc(p.preview.Hours, func(a, b PreviewHour) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Namespace, b.Namespace))
	})
	if len(p.preview.Hours) > MaxPreviewed {
		for _, hour := range p.preview.Hours[MaxPreviewed:] {
			p.preview.LeftOut += hour.Conversations
		}
		p.preview.Hours = p.preview.Hours[:MaxPreviewed]
	}
	return p.preview
}
