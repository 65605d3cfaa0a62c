package persistence_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

// codec is one kind of row, its types taken away so that rules can be told of all of them.
type codec struct {
	name        string
	draw        func(*rapid.T) any
	encode      func(any) []byte
	decode      func([]byte) (any, error)
	emptyIsGood bool // has a meaning for the empty value
}

// codecOf gives a codec its types back where it is made.
func codecOf[R any](name string, draw func(*rapid.T) R, encode func(R) []byte, decode func([]byte) (R, error)) codec {
	return codec{
		name:   name,
		draw:   func(t *rapid.T) any { return draw(t) },
		encode: func(row any) []byte { return encode(row.(R)) }, //nolint:errcheck,forcetypeassert // a row of another type is a mistake in the test
		decode: func(value []byte) (any, error) { return decode(value) },
	}
}

var codecs = func() map[string]codec {
	owner := codecOf("owner", func(t *rapid.T) persistence.Owner {
		return persistence.Owner{Epoch: persistence.Epoch(drawUint().Draw(t, "Epoch")), NextEvent: drawUint().Draw(t, "NextEvent")}
	}, persistence.Owner.Encode, persistence.DecodeOwner)
	due := codecOf("due", drawDue, persistence.Due.Encode, persistence.DecodeDue)
	due.emptyIsGood = true

	all := map[string]codec{}
	for _, c := range []codec{
		codecOf("head", drawHead, (*persistence.Head).Encode, func(value []byte) (*persistence.Head, error) {
			head, _, err := persistence.DecodeHead(value)
			return head, err
		}),
		codecOf("tombstone", drawTombstone, persistence.Tombstone.Encode, func(value []byte) (persistence.Tombstone, error) {
			_, tombstone, err := persistence.DecodeHead(value)
			return tombstone, err
		}),
		codecOf("tail", drawTail, (*persistence.Tail).Encode, persistence.DecodeTail),
		codecOf("membership", drawMembership, (*persistence.Membership).Encode, persistence.DecodeMembership),
		codecOf("member", func(t *rapid.T) persistence.Member {
			return persistence.Member{Generation: drawGeneration().Draw(t, "Generation")}
		}, persistence.Member.Encode, persistence.DecodeMember),
		codecOf("roster", drawRoster, (*persistence.Roster).Encode, persistence.DecodeRoster),
		codecOf("lineage", drawLineage, persistence.Lineage.Encode, persistence.DecodeLineage),
		codecOf("order", func(t *rapid.T) persistence.Order {
			return persistence.Order{At: drawInstant().Draw(t, "At")}
		}, persistence.Order.Encode, persistence.DecodeOrder),
		codecOf("sweep", drawSweep, persistence.Sweep.Encode, persistence.DecodeSweep),
		codecOf("event", drawEvent, (*persistence.Event).Encode, persistence.DecodeEvent),
		codecOf("removal", func(t *rapid.T) persistence.Removal {
			return persistence.Removal{Generation: drawGeneration().Draw(t, "Generation"), Reason: drawReason().Draw(t, "Reason")}
		}, persistence.Removal.Encode, persistence.DecodeRemoval),
		owner, due,
	} {
		all[c.name] = c
	}
	return all
}()

// sameRow compares rows by what can be seen of them: an absent list is an empty one, and senders are who they say, wherever their table has them.
var sameRow = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b persistence.Senders) bool {
		for seq := range uint64(persistence.TailSenders) {
			if a.Of(seq) != b.Of(seq) {
				return false
			}
		}
		return true
	}),
}

func forEachCodec(t *testing.T, rule func(t *rapid.T, c codec)) {
	t.Helper()
	for name, c := range codecs {
		t.Run(name, func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { rule(t, c) }) })
	}
}

func TestEveryRowReadsAsItWasWritten(t *testing.T) {
	forEachCodec(t, func(t *rapid.T, c codec) {
		row := c.draw(t)
		value := c.encode(row)
		got, err := c.decode(value)
		if err != nil {
			t.Fatalf("decode(% x): %v", value, err)
		}
		if diff := cmp.Diff(row, got, sameRow); diff != "" {
			t.Fatalf("decode(encode(row)) differs (-written +read):\n%s", diff)
		}
	})
}

func TestRowsDoNotShareMemoryWithTheirValue(t *testing.T) {
	forEachCodec(t, func(t *rapid.T, c codec) {
		row := c.draw(t)
		value := c.encode(row)
		got, err := c.decode(value)
		if err != nil {
			t.Fatal(err)
		}
		for i := range value {
			value[i] = 0xaa
		}
		if diff := cmp.Diff(row, got, sameRow); diff != "" {
			t.Fatalf("the row changed with the value it was read from (-written +read):\n%s", diff)
		}
	})
}

func TestATruncatedValueIsRefused(t *testing.T) {
	forEachCodec(t, func(t *rapid.T, c codec) {
		value := c.encode(c.draw(t))
		shortest := 0
		if c.emptyIsGood {
			shortest = 1
		}
		for n := shortest; n < len(value); n++ {
			if got, err := c.decode(value[:n]); !errors.Is(err, persistence.ErrValue) {
				t.Fatalf("decode of the first %d of %d bytes: %+v, %v; want ErrValue", n, len(value), got, err)
			}
		}
	})
}

func TestTrailingBytesAreRefused(t *testing.T) {
	forEachCodec(t, func(t *rapid.T, c codec) {
		value := append(c.encode(c.draw(t)), rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "trailing")...)
		if got, err := c.decode(value); !errors.Is(err, persistence.ErrValue) {
			t.Fatalf("decode(% x): %+v, %v; want ErrValue", value, got, err)
		}
	})
}

func TestANewerFormatIsToldFromAMalformedValue(t *testing.T) {
	forEachCodec(t, func(t *rapid.T, c codec) {
		value := c.encode(c.draw(t))
		value[0] = rapid.ByteRange(2, 255).Draw(t, "version")
		if _, err := c.decode(value); !errors.Is(err, persistence.ErrNewerFormat) {
			t.Fatalf("version %d: %v; want ErrNewerFormat", value[0], err)
		}
		value[0] = 0
		if _, err := c.decode(value); !errors.Is(err, persistence.ErrValue) {
			t.Fatalf("version 0: %v; want ErrValue", err)
		}
	})
}

func TestGenerationOfReadsWhatGuardedDeletesCompare(t *testing.T) {
	forEachCodec(t, func(t *rapid.T, c codec) {
		row := c.draw(t)
		want, carried := generationIn(row)
		if !carried {
			return
		}
		value := c.encode(row)
		if got, err := persistence.GenerationOf(value); err != nil || got != want {
			t.Fatalf("GenerationOf(% x) = %d, %v; want %d", value, got, err, want)
		}
		short := value[:rapid.IntRange(0, 8).Draw(t, "length")]
		if got, err := persistence.GenerationOf(short); !errors.Is(err, persistence.ErrValue) {
			t.Fatalf("GenerationOf(% x) = %d, %v; want ErrValue", short, got, err)
		}
		value[0] = 2
		if got, err := persistence.GenerationOf(value); !errors.Is(err, persistence.ErrNewerFormat) {
			t.Fatalf("GenerationOf of a newer value = %d, %v; want ErrNewerFormat", got, err)
		}
	})
}

// generationIn returns the generation of a row, and whether rows of its kind carry one.
func generationIn(row any) (persistence.Generation, bool) {
	switch row := row.(type) {
	case *persistence.Head:
		return row.Generation, true
	case persistence.Tombstone:
		return row.Generation, true
	case *persistence.Tail:
		return row.Generation, true
	case *persistence.Membership:
		return row.Generation, true
	case persistence.Member:
		return row.Generation, true
	case *persistence.Roster:
		return row.Generation, true
	case *persistence.Event:
		return row.Generation, true
	case persistence.Removal:
		return row.Generation, true
	}
	return 0, false
}

func TestAHeadIsNeverReadAsATombstone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if head, tombstone, err := persistence.DecodeHead(drawHead(t).Encode()); head == nil || tombstone != (persistence.Tombstone{}) || err != nil {
			t.Fatalf("a head reads as %+v, %+v, %v", head, tombstone, err)
		}
		if head, _, err := persistence.DecodeHead(drawTombstone(t).Encode()); head != nil || err != nil {
			t.Fatalf("a tombstone reads as %+v, %v", head, err)
		}
	})
}

func TestOneConversationRowOfAnotherMarkIsRefused(t *testing.T) {
	value := persistence.Tombstone{Generation: 1, LastSeq: 2}.Encode()
	value[9] = 2 // the byte that tells heads from tombstones
	if head, tombstone, err := persistence.DecodeHead(value); !errors.Is(err, persistence.ErrValue) {
		t.Fatalf("DecodeHead(% x) = %+v, %+v, %v; want ErrValue", value, head, tombstone, err)
	}
}

func TestADueEntryJudgedFromItsHeadIsEmpty(t *testing.T) {
	if value := (persistence.Due{}).Encode(); len(value) != 0 {
		t.Fatalf("Encode() = % x; want nothing", value)
	}
	for _, value := range [][]byte{nil, {}} {
		if due, err := persistence.DecodeDue(value); err != nil || due.Ended != nil {
			t.Fatalf("DecodeDue(%v) = %+v, %v; want the zero Due", value, due, err)
		}
	}
}

func TestAListLongerThanItsValueIsRefusedBeforeItIsAllocated(t *testing.T) {
	event := (&persistence.Event{Conversation: "lx:a"}).Encode()
	beyond := binary.AppendUvarint(event[:len(event)-1], 1<<62) // in place of "no users": more than make can ever give
	if got, err := persistence.DecodeEvent(beyond); !errors.Is(err, persistence.ErrValue) {
		t.Fatalf("DecodeEvent of a list of 2^62 users: %+v, %v; want ErrValue", got, err)
	}
}

func TestARosterOfMoreThanItMayNameIsRefused(t *testing.T) {
	roster := persistence.Roster{Generation: 1, Users: slices.Repeat([]string{"u"}, persistence.MaxRoster)}
	if _, err := persistence.DecodeRoster(roster.Encode()); err != nil {
		t.Errorf("one of %d users: %v", len(roster.Users), err)
	}
	roster.Users = append(roster.Users, "u")
	if _, err := persistence.DecodeRoster(roster.Encode()); !errors.Is(err, persistence.ErrValue) {
		t.Errorf("one of %d users: %v; want ErrValue", len(roster.Users), err)
	}
}

func TestALineageOfMoreThanItMayHoldIsRefused(t *testing.T) {
	lineage := make(persistence.Lineage, persistence.MaxLineage)
	if _, err := persistence.DecodeLineage(lineage.Encode()); err != nil {
		t.Errorf("one of %d starts: %v", len(lineage), err)
	}
	lineage = append(lineage, persistence.Began{Mark: 1})
	if _, err := persistence.DecodeLineage(lineage.Encode()); !errors.Is(err, persistence.ErrValue) {
		t.Errorf("one of %d starts: %v; want ErrValue", len(lineage), err)
	}
}

func TestADueEntryCarriesTheIndexOfItsHead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		head := drawHead(t)
		want := persistence.Index{Listed: head.Listed, Noticed: head.Noticed, Large: head.Large}
		due, err := persistence.DecodeDue(persistence.Due{Ended: &persistence.Ended{}, Index: head.Index()}.Encode())
		if err != nil || due.Index != want {
			t.Fatalf("it says %+v, %v; want %+v", due.Index, err, want)
		}
	})
}

func TestReasonsHaveTheNamesThatLogsAndMetricsUse(t *testing.T) {
	want := []string{"none", "expired", "deleted", "left", "hidden", "forgotten", "reason(6)"}
	for i, name := range want {
		if got := persistence.Reason(i).String(); got != name {
			t.Errorf("Reason(%d).String() = %q; want %q", i, got, name)
		}
	}
}
