package actors

import (
	"encoding/base64"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func drawPlace(t *rapid.T) place {
	p := place{epoch: persistence.Epoch(rapid.Uint64().Draw(t, "epoch")), change: rapid.Uint64().Draw(t, "change")}
	least := rapid.Uint64Range(1, 1<<40).Draw(t, "least")
	more := rapid.OneOf(rapid.Just(uint64(0)), rapid.Just(uint64(0)), rapid.Uint64Range(0, 1<<40))
	for i := range p.events {
		p.events[i] = least + more.Draw(t, "more")
	}
	return p
}

func TestACursorSaysWhereItsWatcherStands(t *testing.T) {
	c := newCursors("store")
	rapid.Check(t, func(t *rapid.T) {
		want := drawPlace(t)
		got, err := c.decode(c.encode(&want, want.shardPart()))
		if err != nil || got != want {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	})
}

func TestACursorWithAnyByteChangedIsRefused(t *testing.T) {
	c := newCursors("store")
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlace(t)
		b, err := base64.RawURLEncoding.DecodeString(c.encode(&p, p.shardPart()))
		if err != nil {
			t.Fatal(err)
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		_, err = c.decode(base64.RawURLEncoding.EncodeToString(b))
		if refusal, ok := errors.AsType[*conversation.Error](err); !ok || refusal.Field != "cursor" {
			t.Fatalf("got %v, want an invalid cursor", err)
		}
	})
}

func TestACursorOfAnotherIncarnationIsRefused(t *testing.T) {
	one, other := newCursors("one"), newCursors("other")
	var p place
	if _, err := other.decode(one.encode(&p, p.shardPart())); !errors.Is(err, conversation.ErrInvalid) {
		t.Errorf("got %v, want it invalid", err)
	}
}

func TestTheCursorOfAYoungStoreIsShort(t *testing.T) {
	c := newCursors("store")
	p := place{epoch: 1, change: 1_000_000}
	for i := range p.events {
		p.events[i] = 1
	}
	p.events[7] = 12
	if got := c.encode(&p, p.shardPart()); len(got) > 40 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func FuzzCursor(f *testing.F) {
	c := newCursors("store")
	var p place
	f.Add(c.encode(&p, p.shardPart()))
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		got, err := c.decode(cursor)
		if err != nil {
			return
		}
		again, err := c.decode(c.encode(&got, got.shardPart()))
		if err != nil || again != got {
			t.Errorf("got %v, %v; want %v", again, err, got)
		}
	})
}
