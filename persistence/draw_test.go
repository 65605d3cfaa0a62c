package persistence_test

import (
	"math"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

// awkwardRunes are few, so that drawn names are often each other's prefixes, and sort below and above all that may follow a name's end.
var awkwardRunes = []rune{'a', 'b', ':', '/', '\x01', ' ', '\u00ff', 'é', '語', '\U0010ffff'}

func drawName() *rapid.Generator[string] {
	short := rapid.StringOfN(rapid.SampledFrom(awkwardRunes), 1, 6, persistence.MaxName)
	long := rapid.StringOfN(rapid.SampledFrom([]rune{'a', '/', '語'}), 60, -1, persistence.MaxName)
	return rapid.OneOf(short, short, long)
}

func drawConversation() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		name := rapid.SampledFrom([]string{"lx", "lx", "direct", "a"}).Draw(t, "namespace") + ":" + drawName().Draw(t, "name")
		for len(name) > persistence.MaxName {
			name = name[:len(name)-len("語")]
		}
		return name
	}).Filter(func(name string) bool { return persistence.CheckConversation(name) == nil })
}

func drawInstant() *rapid.Generator[persistence.Instant] {
	return rapid.OneOf(
		rapid.Just(persistence.Instant(0)),
		rapid.Just(persistence.Never),
		rapid.Custom(func(t *rapid.T) persistence.Instant { return persistence.Instant(rapid.Int64().Draw(t, "instant")) }),
	)
}

func drawUint() *rapid.Generator[uint64] {
	return rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 300), rapid.Just(uint64(math.MaxUint64)))
}

func drawGeneration() *rapid.Generator[persistence.Generation] {
	return rapid.Custom(func(t *rapid.T) persistence.Generation {
		return persistence.Generation(drawUint().Draw(t, "generation"))
	})
}

func drawBytes(most int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), 0, most) }

func drawReason() *rapid.Generator[persistence.Reason] {
	return rapid.Custom(func(t *rapid.T) persistence.Reason {
		return persistence.Reason(rapid.ByteRange(0, byte(persistence.ReasonForgotten)).Draw(t, "reason"))
	})
}

func drawHead(t *rapid.T) *persistence.Head {
	return &persistence.Head{
		Generation: drawGeneration().Draw(t, "Generation"),
		Version:    drawUint().Draw(t, "Version"),
		Born:       drawInstant().Draw(t, "Born"),
		LastSeq:    drawUint().Draw(t, "LastSeq"),
		LoudSeq:    drawUint().Draw(t, "LoudSeq"),
		LastSender: rapid.OneOf(rapid.Just(""), drawName()).Draw(t, "LastSender"),
		SentAt:     drawInstant().Draw(t, "SentAt"),
		Ordered:    drawInstant().Draw(t, "Ordered"),
		Preview:    drawBytes(512).Draw(t, "Preview"),
		Activity:   drawInstant().Draw(t, "Activity"),
		Deadline:   drawInstant().Draw(t, "Deadline"),
		Due:        drawInstant().Draw(t, "Due"),
		Reason:     drawReason().Draw(t, "Reason"),
		Members:    drawUint().Draw(t, "Members"),
		Floor:      drawUint().Draw(t, "Floor"),
		Pins:       drawUint().Draw(t, "Pins"),
		Held:       rapid.Bool().Draw(t, "Held"),
		Changed:    drawInstant().Draw(t, "Changed"),
		Listed:     drawInstant().Draw(t, "Listed"),
		Noticed:    drawInstant().Draw(t, "Noticed"),
		Large:      rapid.Bool().Draw(t, "Large"),
		Kept:       drawInstant().Draw(t, "Kept"),
		Witness:    rapid.String().Draw(t, "Witness"),
		Touched:    drawInstant().Draw(t, "Touched"),
	}
}

func drawTombstone(t *rapid.T) persistence.Tombstone {
	return persistence.Tombstone{Generation: drawGeneration().Draw(t, "Generation"), LastSeq: drawUint().Draw(t, "LastSeq")}
}

func drawMembership(t *rapid.T) *persistence.Membership {
	m := &persistence.Membership{
		Generation:   drawGeneration().Draw(t, "Generation"),
		Version:      drawUint().Draw(t, "Version"),
		Revision:     drawUint().Draw(t, "Revision"),
		VisibleFrom:  drawUint().Draw(t, "VisibleFrom"),
		VisibleTo:    drawUint().Draw(t, "VisibleTo"),
		ReadSeq:      drawUint().Draw(t, "ReadSeq"),
		ReadAt:       drawInstant().Draw(t, "ReadAt"),
		DeliveredSeq: drawUint().Draw(t, "DeliveredSeq"),
		ClearedSeq:   drawUint().Draw(t, "ClearedSeq"),
		Mentions:     rapid.SliceOfN(drawUint(), 0, persistence.MaxMentions).Draw(t, "Mentions"),
		Left:         rapid.Bool().Draw(t, "Left"),
		Keep:         rapid.Bool().Draw(t, "Keep"),
		MarkedUnread: rapid.Bool().Draw(t, "MarkedUnread"),
		Hide:         persistence.Hide(rapid.ByteRange(0, byte(persistence.HideAlways)).Draw(t, "Hide")),
		HiddenAt:     drawUint().Draw(t, "HiddenAt"),
		Pin:          drawUint().Draw(t, "Pin"),
		MutedUntil:   drawInstant().Draw(t, "MutedUntil"),
		Tags:         drawUint().Draw(t, "Tags"),
		Custom:       drawBytes(64).Draw(t, "Custom"),
		Changed:      drawInstant().Draw(t, "Changed"),
		Noticed:      drawInstant().Draw(t, "Noticed"),
		Frozen:       drawInstant().Draw(t, "Frozen"),
		Outlived:     drawInstant().Draw(t, "Outlived"),
	}
	if rapid.Bool().Draw(t, "has a draft") {
		m.Draft = &persistence.Draft{Text: drawBytes(64).Draw(t, "Text"), EditedAt: drawInstant().Draw(t, "EditedAt")}
	}
	return m
}

func drawRoster(t *rapid.T) *persistence.Roster {
	return &persistence.Roster{
		Generation: drawGeneration().Draw(t, "Generation"),
		Version:    drawUint().Draw(t, "Version"),
		Users:      rapid.SliceOfN(drawName(), 0, persistence.MaxRoster).Draw(t, "Users"),
	}
}

func drawLineage(t *rapid.T) persistence.Lineage {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) persistence.Began {
		return persistence.Began{Mark: drawUint().Draw(t, "Mark"), Until: drawInstant().Draw(t, "Until")}
	}), 0, 20).Draw(t, "lineage")
}

func drawDue(t *rapid.T) persistence.Due {
	ended := drawEnded(t)
	due := persistence.Due{Ended: &ended}
	if rapid.Bool().Draw(t, "says where the entries are") {
		due.Index = persistence.Index{
			Listed: drawInstant().Draw(t, "Listed"), Noticed: drawInstant().Draw(t, "Noticed"), Large: rapid.Bool().Draw(t, "Large"),
		}
	}
	return due
}

func drawEntryKind() *rapid.Generator[persistence.EntryKind] { return rapid.SampledFrom(entryKinds) }

// entryKinds are all there are.
var entryKinds = []persistence.EntryKind{
	persistence.EntryActive, persistence.EntryNoticed, persistence.EntryOwn, persistence.EntryMerged, persistence.EntryPinned,
}

func drawEnded(t *rapid.T) persistence.Ended {
	return persistence.Ended{
		Reason:         drawReason().Draw(t, "Reason"),
		LastSeq:        drawUint().Draw(t, "LastSeq"),
		Deadline:       drawInstant().Draw(t, "Deadline"),
		Users:          rapid.SliceOfN(drawName(), 0, persistence.MaxEndedUsers).Draw(t, "Users"),
		UsersTruncated: rapid.Bool().Draw(t, "UsersTruncated"),
	}
}

func drawEvent(t *rapid.T) *persistence.Event {
	return &persistence.Event{
		At:           drawInstant().Draw(t, "At"),
		Conversation: drawConversation().Draw(t, "Conversation"),
		Generation:   drawGeneration().Draw(t, "Generation"),
		Ended:        drawEnded(t),
		BuriedApart:  rapid.Bool().Draw(t, "BuriedApart"),
	}
}

func drawSweep(t *rapid.T) persistence.Sweep {
	return persistence.Sweep{
		Mark:    drawUint().Draw(t, "Mark"),
		Shard:   drawShard().Draw(t, "Shard"),
		After:   rapid.String().Draw(t, "After"),
		Looked:  drawUint().Draw(t, "Looked"),
		Changed: drawUint().Draw(t, "Changed"),
		Skipped: drawUint().Draw(t, "Skipped"),
	}
}

func drawTail(t *rapid.T) *persistence.Tail {
	tail := &persistence.Tail{Generation: drawGeneration().Draw(t, "Generation"), Version: drawUint().Draw(t, "Version")}
	for range rapid.IntRange(0, 12).Draw(t, "changes") {
		tail.Extend(tail.Last + rapid.Uint64Range(1, 400).Draw(t, "ahead"))
		tail.Uncounted.Set(tail.Last, rapid.Bool().Draw(t, "uncounted"))
		tail.Everyone.Set(tail.Last, rapid.Bool().Draw(t, "everyone"))
		tail.Senders.Set(tail.Last, drawName().Draw(t, "sender"))
	}
	return tail
}
