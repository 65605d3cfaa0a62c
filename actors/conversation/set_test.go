package conversation_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func pin(user string, key uint64) *conversation.Set {
	return &conversation.Set{User: user, Pin: new(key)}
}

func hide(user string, how persistence.Hide) *conversation.Set {
	return &conversation.Set{User: user, Hide: new(how)}
}

func mute(user string, until time.Time) *conversation.Set {
	return &conversation.Set{User: user, MutedUntil: &until}
}

// pins requires that the head counts so many.
func (w *world) pins(want uint64) {
	w.Helper()
	if got := w.head().Pins; got != want {
		w.Fatalf("%d pins are counted, want %d", got, want)
	}
}

func TestPinsOfThoseWhoTakePartAreCounted(t *testing.T) {
	w := two(t, 1)
	w.do(pin("bob", 7), pin("ann", 1))
	w.pins(2)
	w.repeat(pin("bob", 7))
	w.do(pin("bob", 9)) // moved, not pinned once more
	w.pins(2)
	w.reload()
	for _, back := range []conversation.Change{join("bob"), say(2, "ann", "bob")} {
		w.do(leave("bob"))
		w.pins(1)
		w.do(back)
		w.pins(2)
		if m := w.member("bob"); m.Pin != 9 {
			t.Fatalf("brought back by a %s, bob's pin is %d, want 9", back.Kind(), m.Pin)
		}
	}
	w.do(pin("bob", 0))
	w.pins(1)
	w.repeat(pin("bob", 0))
	w.do(leave("bob"))
	w.pins(1)
}

func TestAPinOfOneWhoLeftIsCountedWhenTheyAreBack(t *testing.T) {
	w := two(t, 1)
	w.do(&conversation.Leave{Users: []string{"bob"}, Keep: true}, pin("bob", 7))
	w.pins(0)
	w.do(join("bob"))
	w.pins(1)
	w.do(&conversation.Leave{Users: []string{"bob"}, Keep: true}, pin("bob", 0))
	w.pins(0)
	w.do(join("bob"))
	w.pins(0)
}

func TestPinsEndWithTheirLife(t *testing.T) {
	w := two(t, 1)
	w.do(pin("bob", 7))
	w.advance(time.Hour)
	w.do(say(2, "ann", "bob"))
	w.pins(0)
	if m := w.member("bob"); m.Pin != 0 {
		t.Fatalf("bob's pin is %d in the next life", m.Pin)
	}
}

func TestAMuteLastsUntilItsTime(t *testing.T) {
	for what, test := range map[string]struct {
		until, want time.Time
	}{
		"an hour":                {start.Add(time.Hour).Time(), start.Add(time.Hour).Time()},
		"for ever":               {forEver, forEver},
		"one that ended":         {start.Add(-time.Hour).Time(), start.Add(-time.Hour).Time()},
		"the epoch":              {time.Unix(0, 0), time.Time{}},
		"before the epoch":       {time.Unix(-1, 0), time.Time{}},
		"ages before the epoch":  {time.Unix(-1<<50, 0), time.Time{}},
		"no time":                {time.Time{}, time.Time{}},
		"a microsecond after it": {time.UnixMicro(1), time.UnixMicro(1)},
	} {
		w := two(t, 1)
		w.do(mute("bob", start.Add(time.Minute).Time()))
		w.do(mute("bob", test.until))
		w.repeat(mute("bob", test.until))
		w.reload()
		if got := w.member("bob").MutedUntil; !got.Equal(test.want) || got.IsZero() != test.want.IsZero() {
			t.Errorf("%s: muted until %v, want %v", what, got, test.want)
		}
	}
}

func TestMutedMessagesAreUnreadAllTheSame(t *testing.T) {
	w := two(t, 2)
	w.do(mute("bob", forEver), say(3, "ann"), mute("ann", start.Add(time.Hour).Time()))
	w.unread("bob", 3)
	w.placed("bob", listed)
	if m := w.member("bob"); !m.MutedUntil.Equal(forEver) {
		t.Fatalf("ann's mute changed bob's to %v", m.MutedUntil)
	}
}

func TestHiddenUntilTheNextMessageEndsWithTheNextLoudOne(t *testing.T) {
	w := two(t, 5)
	w.do(hide("bob", persistence.HideUntilMessage))
	w.placed("bob", hidden)
	w.placed("ann", listed)
	w.reload()
	w.repeat(hide("bob", persistence.HideUntilMessage), say(5, "ann", "bob"))
	w.do(&conversation.Post{Seq: 6, Sender: "ann", Silent: true}, &conversation.Read{User: "bob", Seq: 6})
	w.placed("bob", hidden)
	w.do(say(7, "ann"))
	w.placed("bob", listed)
	w.do(hide("bob", persistence.HideUntilMessage)) // once more
	w.placed("bob", hidden)
	w.do(hide("bob", persistence.HideNone))
	w.placed("bob", listed)
	w.repeat(hide("bob", persistence.HideNone))
}

func TestAlwaysHiddenStaysHidden(t *testing.T) {
	w := two(t, 5)
	w.do(hide("bob", persistence.HideAlways), say(6, "ann"), &conversation.Clear{User: "bob", Seq: 6, Hide: true}, say(7, "ann"))
	w.placed("bob", hidden)
	w.unread("bob", 1)
	w.placed("ann", listed)
	w.repeat(hide("bob", persistence.HideAlways), hide("ann", persistence.HideNone))
	w.do(hide("bob", persistence.HideUntilMessage))
	w.placed("bob", hidden)
	w.do(say(8, "ann"))
	w.placed("bob", listed)
}

func TestUnhidingEndsWhatAClearHid(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Clear{User: "bob", Seq: 8, Hide: true}, hide("bob", persistence.HideNone))
	w.placed("bob", listed)
	w.do(hide("bob", persistence.HideUntilMessage), say(6, "ann")) // before what was cleared ahead
	w.placed("bob", listed)
}

func TestAClearHidesNoLongerThanItAsksForAfterAnUnhiding(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Clear{User: "bob", Seq: 8, Hide: true}, hide("bob", persistence.HideNone), &conversation.Clear{User: "bob", Seq: 5, Hide: true})
	w.placed("bob", hidden)
	w.do(say(6, "ann"))
	w.placed("bob", listed)
}

func TestALoudMessageThatASilentOneOvertookUnhides(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Post{Seq: 7, Sender: "ann", Silent: true}, hide("bob", persistence.HideUntilMessage))
	w.placed("bob", hidden)
	w.do(say(6, "ann"))
	w.placed("bob", listed)
}

func TestFieldsThatAreNotSetStayAsTheyAre(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Set{
		User: "bob", Pin: new(uint64(7)), MutedUntil: &forEver, Hide: new(persistence.HideAlways), Tags: new(uint64(5)),
		Custom: []byte("blue"), Draft: &conversation.Draft{Text: []byte("hel")},
	})
	before := w.view("bob").Membership
	w.repeat(&conversation.Set{User: "bob"})
	w.do(&conversation.Set{User: "bob", Tags: new(uint64(6))})
	after := w.view("bob").Membership
	if after.Tags != 6 {
		t.Fatalf("the tags are %b, want 110", after.Tags)
	}
	if after.Pin != 7 || !after.MutedUntil.Equal(forEver) || after.Hide != persistence.HideAlways || string(after.Custom) != "blue" || string(after.Draft.Text) != "hel" {
		t.Fatalf("setting the tags changed %+v to %+v", before, after)
	}
	w.do(&conversation.Set{User: "bob", Tags: new(uint64(0))})
	if m := w.member("bob"); m.Tags != 0 {
		t.Fatalf("the tags are %b, want none", m.Tags)
	}
}

func TestEmptyCustomDataTakesItAway(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Set{User: "bob", Custom: []byte("blue")})
	w.repeat(&conversation.Set{User: "bob", Custom: []byte("blue")}, &conversation.Set{User: "bob"})
	for range 2 {
		if m := w.member("bob"); string(m.Custom) != "blue" {
			t.Fatalf("the custom data is %q, want blue", m.Custom)
		}
		w.reload()
	}
	w.do(&conversation.Set{User: "bob", Custom: []byte{}})
	w.repeat(&conversation.Set{User: "bob", Custom: []byte{}})
	if m := w.member("bob"); len(m.Custom) != 0 {
		t.Fatalf("the custom data is %q, want none", m.Custom)
	}
}
