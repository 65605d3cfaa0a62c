package actors_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// fuzzedEngine is an engine on a store in memory, in the time of the machine.
type fuzzedEngine struct {
	*actors.Engine

	store *persistencetest.Store
}

func startFuzzed(tb testing.TB) *fuzzedEngine {
	tb.Helper()
	store := persistencetest.NewStore()
	engine, err := actors.Start(context.Background(), nil, store, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}})
	if err != nil {
		tb.Fatal(err)
	}
	return &fuzzedEngine{engine, store}
}

func (e *fuzzedEngine) stop(tb testing.TB) {
	tb.Helper()
	if err := e.Stop(context.Background()); err != nil {
		tb.Error(err)
	}
}

// listed is an engine with a user who has more conversations than a page, and a conversation with more members.
func listed(f *testing.F) *fuzzedEngine {
	f.Helper()
	e := startFuzzed(f)
	for _, name := range []string{"group:a", "group:b", "group:c", "group:d", "group:e"} {
		post := &conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob", "cid", "dan", "eve"}}
		if _, err := e.Propose(context.Background(), &actors.Proposal{Conversation: name, Change: post}); err != nil {
			f.Fatal(err)
		}
	}
	f.Cleanup(func() { e.stop(f) })
	return e
}

// wantPage checks a page that was asked for with any token: it is refused by that field, or it is the rest of the list from some place on, cut to the limit.
func wantPage(t *testing.T, all, page []string, limit int, more bool, err error) {
	t.Helper()
	if err != nil {
		wantField(t, err, conversation.ErrInvalid, "page_token")
		return
	}
	if len(page) == 0 {
		if more {
			t.Error("an empty page is not the last")
		}
		return
	}
	from := slices.Index(all, page[0])
	if from < 0 || from+len(page) > len(all) || !slices.Equal(page, all[from:from+len(page)]) {
		t.Errorf("page %q is no part of %q", page, all)
		return
	}
	if last := from+len(page) == len(all); more == last || (more && len(page) != limit) {
		t.Errorf("page %q of %q says that there is more: %v", page, all, more)
	}
}

// FuzzPageTokenOfConversations asks for pages of a list with whatever token there may be.
func FuzzPageTokenOfConversations(f *testing.F) {
	e := listed(f)
	query := func(q actors.ListQuery) ([]string, string, error) {
		q.User = "bob"
		page, err := e.Conversations(context.Background(), q)
		var names []string
		for _, c := range page.Conversations {
			names = append(names, c.Conversation)
		}
		return names, page.NextPageToken, err
	}
	all, _, err := query(actors.ListQuery{})
	if err != nil || len(all) != 5 {
		f.Fatal(all, err)
	}
	for limit := range 4 {
		_, token, err := query(actors.ListQuery{Limit: limit + 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token, uint8(limit))
	}
	f.Add("eyJwIjoxLCJvIjotMSwibiI6Imdyb3VwOmEifQ", uint8(2))
	f.Add("e30", uint8(2))
	f.Fuzz(func(t *testing.T, token string, limit uint8) {
		q := actors.ListQuery{PageToken: token, Limit: int(limit%4) + 1}
		page, next, err := query(q)
		wantPage(t, all, page, q.Limit, next != "", err)
	})
}

// FuzzPageTokenOfMembers asks for pages of members with whatever token there may be.
func FuzzPageTokenOfMembers(f *testing.F) {
	e := listed(f)
	query := func(q actors.MembersQuery) ([]string, string, error) {
		q.Conversation = "group:a"
		page, err := e.Members(context.Background(), q)
		var names []string
		for i := range page.Members {
			names = append(names, page.Members[i].User)
		}
		return names, page.NextPageToken, err
	}
	all, _, err := query(actors.MembersQuery{})
	if err != nil || len(all) != 5 {
		f.Fatal(all, err)
	}
	for limit := range 4 {
		_, token, err := query(actors.MembersQuery{Limit: limit + 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token, uint8(limit))
	}
	f.Add("AP8", uint8(2))
	f.Add("!", uint8(2))
	f.Fuzz(func(t *testing.T, token string, limit uint8) {
		q := actors.MembersQuery{PageToken: token, Limit: int(limit%4) + 1}
		page, next, err := query(q)
		wantPage(t, all, page, q.Limit, next != "", err)
	})
}

// FuzzSyncCursor asks what changed since whatever cursor there may be: it is refused by that field, or what comes of its pages, put on top of what a device may have had, is the list.
func FuzzSyncCursor(f *testing.F) {
	e := listed(f)
	sync := func(cursor string, limit int) (actors.SyncPage, error) {
		return e.Sync(context.Background(), actors.SyncQuery{User: "bob", Cursor: cursor, Limit: limit})
	}
	all := map[string]bool{}
	list, err := e.Conversations(context.Background(), actors.ListQuery{User: "bob"})
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range list.Conversations {
		all[c.Conversation] = true
	}
	f.Add(list.SyncCursor, uint8(0))
	for limit := range 4 {
		page, err := sync("", limit+1)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(page.Cursor, uint8(limit))
	}
	f.Add("", uint8(0))
	f.Add("AQAAAAAAAAAHAgAAfiNm1w", uint8(1)) // whole, of a start that this store does not know
	f.Fuzz(func(t *testing.T, cursor string, limit uint8) {
		n := int(limit%4) + 1
		page, err := sync(cursor, n)
		if err != nil {
			wantField(t, err, conversation.ErrInvalid, "cursor")
			return
		}
		device := map[string]bool{}
		if !page.Full {
			maps.Copy(device, all) // nothing has changed: whoever has a cursor had everything
		}
		for pages := 0; ; pages++ {
			if told := len(page.Changed) + len(page.Removed); told > n || len(page.Removed) > 0 || pages > len(all) {
				t.Fatalf("page %d has %d changed and %d removed of at most %d", pages, len(page.Changed), len(page.Removed), n)
			}
			for _, c := range page.Changed {
				device[c.Conversation] = true
			}
			if !page.More {
				break
			}
			if page, err = sync(page.Cursor, n); err != nil {
				t.Fatalf("the cursor of a page is refused: %v", err)
			}
		}
		if cursor == "" && !maps.Equal(device, all) {
			t.Errorf("the device has %v, want %v", device, all)
		}
		for name := range device {
			if !all[name] {
				t.Errorf("the device was told of %s", name)
			}
		}
	})
}

// drawn reads values from the bytes that the fuzzer chose; zeros once they are used up.
type drawn struct{ bytes []byte }

func (d *drawn) byte() byte {
	if len(d.bytes) == 0 {
		return 0
	}
	b := d.bytes[0]
	d.bytes = d.bytes[1:]
	return b
}

// number is mostly small, so that it means something, and sometimes at the bounds.
func (d *drawn) number() uint64 {
	switch b := d.byte(); {
	case b < 200:
		return uint64(b % 16)
	case b < 250:
		return uint64(d.byte()) << (b % 64)
	default:
		return ^uint64(b - 250)
	}
}

// text is mostly a name that is in use, and sometimes whatever comes.
func (d *drawn) text(known ...string) string {
	b := d.byte()
	if b < 200 {
		return known[int(b)%len(known)]
	}
	n := min(len(d.bytes), int(b-200)*8)
	s := string(d.bytes[:n])
	d.bytes = d.bytes[n:]
	return s
}

func (d *drawn) user() string { return d.text("ann", "bob", "cid") }

func (d *drawn) users() []string {
	users := make([]string, d.byte()%5)
	for i := range users {
		users[i] = d.user()
	}
	return users
}

func (d *drawn) bool() bool { return d.byte()%2 == 1 }

func (d *drawn) blob() []byte {
	if d.bool() {
		return []byte(d.text("", "text"))
	}
	return nil
}

func (d *drawn) time() time.Time { return time.Unix(int64(d.number())-4, int64(d.number())) }

func (d *drawn) change() conversation.Change {
	switch d.byte() % 14 {
	case 0:
		return &conversation.Post{
			Seq: d.number(), Sender: d.user(), SentAt: d.time(), Preview: d.blob(), Mentions: d.users(), MentionAll: d.bool(), Silent: d.bool(),
			Unattended: d.bool(), Members: d.users(),
		}
	case 1:
		return &conversation.Amend{Seq: d.number(), Preview: d.blob(), Retracted: d.bool()}
	case 2:
		return &conversation.Join{Users: d.users(), VisibleFrom: d.number(), UnreadFrom: d.number()}
	case 3:
		return &conversation.Leave{Users: d.users(), Keep: d.bool()}
	case 4:
		return &conversation.Read{User: d.user(), Seq: d.number()}
	case 5:
		return &conversation.Deliver{User: d.user(), Seq: d.number()}
	case 6:
		return &conversation.MarkUnread{User: d.user(), Seq: d.number()}
	case 7:
		return &conversation.Clear{User: d.user(), Seq: d.number(), Hide: d.bool()}
	case 8:
		return d.set()
	case 9:
		return &conversation.Hold{On: d.bool()}
	case 10:
		return &conversation.Delete{}
	case 11:
		return &conversation.Rewind{From: d.number(), To: d.number()}
	case 12:
		return [...]conversation.Change{
			(*conversation.Post)(nil), (*conversation.Amend)(nil), (*conversation.Join)(nil), (*conversation.Leave)(nil), (*conversation.Read)(nil),
			(*conversation.Deliver)(nil), (*conversation.MarkUnread)(nil), (*conversation.Clear)(nil), (*conversation.Set)(nil),
			(*conversation.Hold)(nil), (*conversation.Delete)(nil), (*conversation.Rewind)(nil),
		}[d.byte()%12]
	}
	return nil
}

func (d *drawn) set() *conversation.Set {
	set := &conversation.Set{User: d.user(), Custom: d.blob()}
	if d.bool() {
		set.Pin = new(d.number())
	}
	if d.bool() {
		set.MutedUntil = new(d.time())
	}
	if d.bool() {
		set.Hide = new(persistence.Hide(d.byte() % 5))
	}
	if d.bool() {
		set.Tags = new(d.number())
	}
	if d.bool() {
		set.Draft = &conversation.Draft{Text: d.blob(), EditedAt: d.time()}
	}
	return set
}

func (d *drawn) proposal() *actors.Proposal {
	return &actors.Proposal{
		Conversation: d.text("group:1", "group:2"),
		Change:       d.change(),
		Ack:          actors.Ack(d.byte() % 5),
		IfGeneration: d.number() / 2,
		Revision:     d.number(),
		Tag:          d.number(),
		Origin:       d.text("", "phone"),
	}
}

// FuzzRequest sends proposals of whatever kind to the engine's address: each is answered with its tag, well or with a typed error that names the field that is wrong; another
// engine that is asked the same through Propose says the same; and the store is sound afterwards.
func FuzzRequest(f *testing.F) {
	for kind := range byte(14) {
		f.Add([]byte{0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, kind, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
		f.Add([]byte{0, kind, 255, 255, 210, 230, 7, 0, 0, 1, 1, 1, 1, 3, 2, 1, 0, 0, 0, 0, 0, 0, kind, 0, 201, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		system := newHost(t)
		store := persistencetest.NewStore()
		engine, err := actors.Start(t.Context(), system, store, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		other := startFuzzed(t)
		d := &drawn{data}
		for range 1 + len(data)/24 {
			p := d.proposal()
			answer, err := system.Root.RequestFuture(engine.PID(), p, time.Minute).Result()
			r, ok := answer.(*actors.Reply)
			if err != nil || !ok {
				t.Fatalf("%+v is answered with %T, %v", p, answer, err)
			}
			wantReply(t, p, r)
			direct, err := other.Propose(t.Context(), p)
			if (err == nil) != (r.Err == nil) || (err != nil && !sameRefusal(err, r.Err)) || direct.LastSeq != r.LastSeq || direct.Changed != r.Changed {
				t.Errorf("%+v: Request said %+v, Propose %+v", p, r, direct)
			}
		}
		if err := engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		other.stop(t)
		snapshot, err := store.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		defer snapshot.Close()
		for _, err := range persistencetest.Check(t.Context(), snapshot) {
			t.Errorf("the store contradicts itself: %v", err)
		}
	})
}

// sameRefusal compares refusals but for generations, which are each engine's own.
func sameRefusal(a, b error) bool {
	x, okX := errors.AsType[*conversation.Error](a)
	y, okY := errors.AsType[*conversation.Error](b)
	return okX && okY && errors.Is(y, x.Kind) && cmp.Equal([]string{x.Field, x.Conversation}, []string{y.Field, y.Conversation})
}

func wantReply(t *testing.T, p *actors.Proposal, r *actors.Reply) {
	t.Helper()
	if r.Tag != p.Tag || r.Conversation != p.Conversation {
		t.Errorf("%+v is answered as %q, tag %d", p, r.Conversation, r.Tag)
	}
	if r.Err == nil {
		if r.Ack == actors.AckDefault {
			t.Errorf("%+v is answered well at no level: %+v", p, r)
		}
		return
	}
	refusal, ok := errors.AsType[*conversation.Error](r.Err)
	switch {
	case !ok:
		t.Errorf("%+v is refused with a %T", p, r.Err)
	case errors.Is(refusal, conversation.ErrInvalid) && refusal.Field == "":
		t.Errorf("%+v is invalid, but in which field? %v", p, refusal)
	case errors.Is(refusal, conversation.ErrUnavailable), errors.Is(refusal, conversation.ErrOverloaded), errors.Is(refusal, conversation.ErrQuarantined):
		t.Errorf("%+v alone brought the engine to say %v", p, refusal)
	}
}
