package conversation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// entries returns the entries of the members as lines: whose, of which kind, and how many hours after the minute of the start, where they have an instant.
func (w *world) entries() []string {
	lines := []string{}
	for key := range w.rows {
		user, kind, at, _, err := persistence.ParseEntryKey([]byte(key))
		if err != nil {
			continue
		}
		line := fmt.Sprintf("%s %c", user, kind)
		if at != 0 {
			line += fmt.Sprintf(" %+d", at.Sub(began)/time.Hour)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func (w *world) indexed(when string, want ...string) {
	w.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), w.entries()); diff != "" {
		w.Fatalf("%s: the entries (-want +got):\n%s", when, diff)
	}
}

// moved returns how many writes of entries an outcome has.
func moved(out conversation.Outcome) (n int) {
	for _, write := range out.Writes {
		if persistence.KindOf(write.Key) == persistence.KindEntry {
			n++
		}
	}
	return n
}

// quiet is two, in which nothing expires.
func quiet(t tester) *world {
	w := newWorld(t)
	w.policy.ExpireAfter = 0
	w.do(say(1, "ann", "ann", "bob"))
	return w
}

func joining(from, to int) *conversation.Join {
	join := &conversation.Join{}
	for i := from; i < to; i++ {
		join.Users = append(join.Users, fmt.Sprintf("user%02d", i))
	}
	return join
}

// began is the beginning of the minute of the start, where the first entries stand.
const began = start - 20_000_000

func TestEntriesStayForTheBetterPartOfAnHourNotAllForAsLong(t *testing.T) {
	const least = persistence.EntryReach * 3 / 4
	ends := map[persistence.Instant]int{}
	for i := range 10_000 {
		until := conversation.EntryStays(fmt.Sprint("group:", i), start)
		if until < start+least || until > start+persistence.EntryReach {
			t.Fatalf("the entries of group:%d stay for %v", i, until.Sub(start))
		}
		ends[until]++
	}
	if len(ends) != 16 {
		t.Errorf("what moved together moves the next time at %d moments, want 16 minutes", len(ends))
	}
	for until, n := range ends {
		if n < 500 || n > 750 {
			t.Errorf("%d of 10,000 move after %v, want about 625", n, until.Sub(start))
		}
	}
}

func TestAPostOfAClockThatIsALittleBehindMovesNothing(t *testing.T) {
	w := quiet(t)
	w.advance(2 * time.Hour)
	w.do(say(2, "ann"))
	behind := &conversation.Post{Seq: 3, Sender: "bob", SentAt: w.now.Add(-15 * time.Second).Time()}
	if n := moved(w.do(behind)); n != 0 {
		t.Errorf("it wrote %d entries", n)
	}
	w.indexed("after it", "ann a +2", "bob a +2")
}

// A store that was written when entries stood under full hours is read, and goes on, as it is.
func TestEntriesUnderAFullHourAreMovedWhenTheirTimeComes(t *testing.T) {
	const hour = start - 800_000_000
	w := quiet(t)
	for _, user := range []string{"ann", "bob"} {
		key := string(persistence.EntryKey(user, persistence.EntryActive, began, name))
		w.rows[string(persistence.EntryKey(user, persistence.EntryActive, hour, name))] = w.rows[key]
		delete(w.rows, key)
	}
	head := w.head()
	head.Listed = hour
	w.rows[headKey] = head.Encode()
	w.reload()
	w.advance(30 * time.Minute) // 43 minutes and a third after the hour
	if n := moved(w.do(say(2, "bob"))); n != 0 {
		t.Errorf("a post within three quarters of an hour wrote %d entries", n)
	}
	w.advance(time.Hour)
	w.do(say(3, "ann"))
	w.indexed("after an hour", "ann a +1", "bob a +1")
}

func TestPostsMoveTheEntriesOfAllMembersOnceAnHour(t *testing.T) {
	w := quiet(t)
	w.indexed("at first", "ann a +0", "bob a +0")
	w.advance(40 * time.Minute)
	for seq := range uint64(10) {
		if n := moved(w.do(say(seq+2, "bob"))); n != 0 {
			t.Errorf("post %d in the hour wrote %d entries, want none", seq+2, n)
		}
	}
	w.advance(time.Hour)
	if n := moved(w.do(say(12, "bob"))); n != 4 {
		t.Errorf("the first post of the next hour wrote %d entries, want each of two deleted and put", n)
	}
	w.indexed("an hour later", "ann a +1", "bob a +1")
	w.advance(50 * time.Hour)
	w.reload()
	w.do(say(13, "ann"))
	w.indexed("days later, from its rows", "ann a +51", "bob a +51")
}

func TestAFullHourMovesNothing(t *testing.T) {
	w := quiet(t)
	w.advance(100 * time.Minute)
	w.do(say(2, "ann")) // seven minutes before it
	w.advance(20 * time.Minute)
	if n := moved(w.do(say(3, "bob"), &conversation.Hold{On: true})); n != 0 {
		t.Errorf("the first changes of an hour wrote %d entries", n)
	}
	w.check()
}

func TestChangesOfAnotherSortAreNoticedOnceAnHour(t *testing.T) {
	for change, do := range map[string]conversation.Change{
		"a silent post": &conversation.Post{Seq: 2, Sender: "ann", Silent: true},
		"an amend":      retract(1),
		"a preview":     &conversation.Amend{Seq: 1, Preview: []byte("better")},
		"a join":        &conversation.Join{Users: []string{"cid"}},
		"a hold":        &conversation.Hold{On: true},
		"an old post":   &conversation.Post{Seq: 2, Sender: "ann", SentAt: start.Time()},
	} {
		t.Run(change, func(t *testing.T) {
			w := quiet(t)
			w.advance(20 * time.Minute)
			if n := moved(w.do(do)); change != "a join" && n != 0 {
				t.Errorf("in the hour of the last activity it wrote %d entries", n)
			}
			w = quiet(t)
			w.advance(5 * time.Hour)
			w.do(do)
			want := []string{"ann a +0", "ann h +5", "bob a +0", "bob h +5"}
			if change == "a join" {
				want = append(want, "cid a +0", "cid h +5")
			}
			w.indexed("hours later", want...)
			if n := moved(w.do(&conversation.Post{Seq: 3, Sender: "bob", Silent: true})); n != 0 {
				t.Errorf("another in that hour wrote %d entries", n)
			}
			w.advance(2 * time.Hour)
			w.do(say(4, "ann"))
			for i := range want {
				want[i] = want[i][:4] + "a +7"
			}
			w.indexed("a post takes the place of both", slices.Compact(slices.Sorted(slices.Values(want)))...)
		})
	}
}

func TestTheChangeOfARosterIsNoticedByTheOthers(t *testing.T) {
	w := quiet(t)
	w.do(&conversation.Join{Users: []string{"cid"}})
	w.advance(3 * time.Hour)
	w.do(&conversation.Leave{Users: []string{"cid"}})
	w.indexed("after cid left", "ann a +0", "ann h +3", "bob a +0", "bob h +3", "cid o +3")
	w.advance(time.Hour)
	w.do(&conversation.Join{Users: []string{"cid"}})
	w.indexed("after cid came back", "ann a +0", "ann h +4", "bob a +0", "bob h +4", "cid a +0", "cid h +4", "cid o +3")
}

func TestMarksLeaveAnEntryOfTheUsersOwnOnceAnHour(t *testing.T) {
	pin := uint64(7)
	for mark, do := range map[string][2]conversation.Change{
		"read":    {&conversation.Read{User: "bob", Seq: 1}, &conversation.Read{User: "bob", Seq: 2}},
		"deliver": {delivery("bob", 1), delivery("bob", 2)},
		"unread":  {unreadFrom("ann", 1), &conversation.Read{User: "ann", Seq: 3}},
		"clear":   {&conversation.Clear{User: "bob", Seq: 1}, &conversation.Clear{User: "bob", Seq: 2}},
		"tags":    {&conversation.Set{User: "bob", Tags: &pin}, &conversation.Set{User: "bob", Tags: new(uint64)}},
		"draft":   {draft("bob", "a", time.Second), draft("bob", "b", 2*time.Second)},
	} {
		t.Run(mark, func(t *testing.T) {
			w := quiet(t)
			w.do(say(2, "ann"), say(3, "ann"))
			w.advance(2 * time.Hour)
			user := "bob"
			if mark == "unread" {
				user = "ann"
			}
			if n := moved(w.do(do[0])); n != 1 {
				t.Errorf("the first wrote %d entries, want one", n)
			}
			w.indexed("after the first", "ann a +0", "bob a +0", user+" o +2")
			if out := w.do(do[1]); !out.Changed || moved(out) != 0 {
				t.Errorf("another in that hour wrote %d entries (it changed something: %v)", moved(out), out.Changed)
			}
			w.advance(time.Hour)
			w.reload()
			w.do(&conversation.Set{User: user, Custom: []byte("x")})
			w.indexed("an hour later", "ann a +0", "bob a +0", user+" o +3")
		})
	}
}

func TestAPinHasAnEntryAsLongAsItIsShown(t *testing.T) {
	w := quiet(t)
	pin, none := uint64(7), uint64(0)
	w.do(&conversation.Set{User: "bob", Pin: &pin})
	w.indexed("pinned", "ann a +0", "bob a +0", "bob o +0", "bob p")
	w.do(&conversation.Leave{Users: []string{"bob"}})
	if slices.Contains(w.entries(), "bob p") {
		t.Errorf("left without keeping it: %v", w.entries())
	}
	w.do(&conversation.Join{Users: []string{"bob"}})
	if got, want := slices.Contains(w.entries(), "bob p"), w.membership("bob").Pin != 0; got != want {
		t.Errorf("came back: a pin is listed: %v, there is one: %v", got, want)
	}
	w.do(&conversation.Set{User: "bob", Pin: &pin})
	w.do(&conversation.Set{User: "bob", Pin: &none})
	w.indexed("unpinned", "ann a +0", "bob a +0", "bob o +0")
}

// membership returns a user's row.
func (w *world) membership(user string) *persistence.Membership {
	w.Helper()
	m, err := persistence.DecodeMembership(w.rows[membershipKey(user)])
	if err != nil {
		w.Fatalf("the membership of %s: %v", user, err)
	}
	return m
}

func TestWhoLeavesAndKeepsItIsLedToTheHeadAndToTheFrozenActivity(t *testing.T) {
	w := quiet(t)
	w.advance(2 * time.Hour)
	w.do(say(2, "ann"))
	ordered := w.head().Ordered
	w.do(&conversation.Leave{Users: []string{"bob"}, Keep: true})
	w.indexed("after bob left", "ann a +2", "bob m")
	w.advance(5 * time.Hour)
	w.do(say(3, "ann"))
	if got := w.membership("bob").Frozen; got != ordered {
		t.Errorf("bob's view is of %d, want %d, when it was frozen", got, ordered)
	}
	w.indexed("later posts are none of bob's", "ann a +7", "bob m")
	w.do(&conversation.Join{Users: []string{"bob"}})
	w.indexed("after bob came back", "ann a +7", "bob a +7")
	if got := w.membership("bob"); got.Left {
		t.Errorf("bob came back, and is %+v", got)
	}
}

func TestAConversationIsLargeFromItsSixtyFifthMemberOn(t *testing.T) {
	w := quiet(t)
	w.do(joining(0, persistence.MaxRoster-2))
	if head := w.head(); head.Large || head.Members != persistence.MaxRoster {
		t.Fatalf("with %d members: large is %v", head.Members, head.Large)
	}
	if n := len(w.entries()); n != persistence.MaxRoster {
		t.Fatalf("%d entries of %d members", n, persistence.MaxRoster)
	}
	w.advance(2 * time.Hour)
	if n := moved(w.do(say(2, "ann"))); n != 2*persistence.MaxRoster {
		t.Errorf("a post wrote %d entries, want each of %d deleted and put", n, persistence.MaxRoster)
	}
	w.do(joining(62, 63))
	head := w.head()
	if !head.Large || head.Listed != 0 || head.Noticed != 0 || w.rows[string(persistence.RosterKey(name))] != nil {
		t.Fatalf("with the 65th: %+v, and a roster of %d bytes", head, len(w.rows[string(persistence.RosterKey(name))]))
	}
	for _, line := range w.entries() {
		if line[len(line)-2:] != " m" {
			t.Errorf("of the large conversation there is %q", line)
		}
	}
	w.check()
	w.advance(2 * time.Hour)
	if n := moved(w.do(say(3, "ann"), &conversation.Post{Seq: 4, Sender: "bob", Silent: true})); n != 0 {
		t.Errorf("posts wrote %d entries, want none", n)
	}
	w.do(&conversation.Leave{Users: joining(0, 63).Users})
	if head := w.head(); !head.Large || head.Members != 2 {
		t.Errorf("with %d members left, large is %v; want that it stays so", head.Members, head.Large)
	}
	w.reload()
	w.do(&conversation.Join{Users: []string{"user00"}})
	if !slices.Contains(w.entries(), "user00 m") || slices.Contains(w.entries(), "user01 m") {
		t.Errorf("one came back, the others did not: %v", w.entries())
	}
	w.check()
}

func TestOneWhoJoinsInTheChangeThatMakesItLargeHasOneEntry(t *testing.T) {
	w := quiet(t)
	w.do(joining(0, 90))
	if n := len(w.entries()); n != 92 || !w.head().Large {
		t.Errorf("%d entries of 92 members, large is %v", n, w.head().Large)
	}
	w.check()
}

func TestTheNextLifeHasEntriesOfItsOwnBesideThoseOfTheOneBefore(t *testing.T) {
	w := two(t, 1)
	w.do(&conversation.Join{Users: []string{"cid"}})
	w.advance(3 * time.Hour)
	out := w.do(say(2, "ann", "bob"))
	if want := (persistence.Index{Listed: began}); out.Ended == nil || out.Ended.Index != want {
		t.Fatalf("the end of the life before says %+v, want %+v", out.Ended, want)
	}
	w.indexed("before the life before is deleted", "ann a +3", "bob a +3")
	w.reap(out.Ended)
	w.indexed("after", "ann a +3", "bob a +3")
	w.advance(10 * time.Minute)
	w.do(say(3, "bob"))
	w.check()
}

func TestTheNextLifeInTheSameHourTakesTheEntriesOver(t *testing.T) {
	w := two(t, 1)
	w.policy.ExpireAfter = time.Minute
	w.do(say(2, "ann"), &conversation.Join{Users: []string{"cid"}})
	w.advance(10 * time.Minute)
	out := w.do(say(3, "ann", "bob"))
	w.indexed("before the life before is deleted", "ann a +0", "bob a +0")
	w.reap(out.Ended)
	w.indexed("after", "ann a +0", "bob a +0")
	w.check()
}

func TestStampsNeverGoBack(t *testing.T) {
	w := quiet(t)
	w.advance(time.Hour)
	w.do(&conversation.Read{User: "bob", Seq: 1}, say(2, "ann"))
	head, ann := w.head().Changed, w.membership("ann").Changed
	w.now = w.now.Add(-30 * time.Minute) // a proposal that was accepted before, and applied late
	w.do(say(3, "ann"), &conversation.Read{User: "bob", Seq: 3})
	if got := w.head().Changed; got < head {
		t.Errorf("the head's stamp went from %d to %d", head, got)
	}
	if got := w.membership("ann").Changed; got < ann {
		t.Errorf("ann's stamp went from %d to %d", ann, got)
	}
}
