package benchmarks_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// BenchmarkLists measures what is asked about a user's list: how long it takes (p50, p99), and the time of a processor that the caller's thread took meanwhile (cpu-p50, cpu-p99), which
// is what it takes where nothing else wants the processor. Others help only with more than 256 conversations. All this while the journal commits every two milliseconds. Beside each answer, in turns with it, stands the floor: getting, one
// by one from a snapshot, the heads and memberships of the conversations in that answer, under keys that are known. ratio is the median answer over the median floor.
// Everything is in memory, as far as the store's cache and the operating system keep it there, but in "cold": there an engine is started on a store of whose files the operating
// system has dropped all pages, and the first call of its life is measured.
func BenchmarkLists(b *testing.B) {
	few, many, busy, crowds := listUsers()
	first := func(user listUser) func(*listReader) call {
		return func(r *listReader) call { return r.list(actors.ListQuery{User: user.name}) }
	}
	for _, bench := range []struct {
		name string
		user listUser
		call func(*listReader) call
	}{
		{"first-page/usual", few, first(few)},
		{"first-page/many", many, first(many)},
		{"first-page/busy", busy, first(busy)},
		{"first-page/large-groups", crowds, first(crowds)},
		{"page-100/many", many, func(r *listReader) call {
			return r.list(actors.ListQuery{User: many.name, PageToken: r.token(many.name, 99)})
		}},
		{"unread-only/many", many, func(r *listReader) call { return r.list(actors.ListQuery{User: many.name, UnreadOnly: true}) }},
		{"filter-matching-none/many", many, func(r *listReader) call { return r.list(actors.ListQuery{User: many.name, TagsAny: 1}) }},
		{"sync-10-changes/many", many, func(r *listReader) call { return r.sync(&many) }},
		{"sync-10-changes/large-groups", crowds, func(r *listReader) call { return r.sync(&crowds) }},
		{"full-sync/many", many, func(r *listReader) call { return r.fullSync(many.name) }},
		{"badge/usual", few, func(r *listReader) call { return r.badge(few.name) }},
		{"badge/many", many, func(r *listReader) call { return r.badge(many.name) }},
	} {
		b.Run(fmt.Sprintf("%s/of=%d", bench.name, bench.user.conversations), func(b *testing.B) {
			r := startReader(b, allLists.in(b))
			r.measure(b, bench.call(r))
			r.stop(b)
		})
	}
	for _, user := range []listUser{few, many} {
		b.Run(fmt.Sprintf("cold/first-page/of=%d", user.conversations), func(b *testing.B) { coldPage(b, user.name) })
	}
}

// call is what is measured: it returns which conversations were in the answer, and what it took to find them.
type call func(b *testing.B) (names []string, user string, cost actors.ReadCost)

// listReader is an engine on the store with all lists, whose clock stands still at their end.
type listReader struct {
	*actors.Engine

	store *badgerstore.Store
	b     *testing.B
}

func startReader(b *testing.B, dir string) *listReader {
	b.Helper()
	store, err := badgerstore.Open(dir, badgerstore.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	engine, err := actors.Start(ctx(), nil, store, actors.Config{Clock: clock.NewVirtual(listEnd())})
	if err != nil {
		b.Fatal(err)
	}
	return &listReader{engine, store, b}
}

func (r *listReader) stop(b *testing.B) {
	b.Helper()
	stopEngine(b, r.Engine)
	if err := r.store.Close(); err != nil {
		b.Fatal(err)
	}
}

func (r *listReader) list(q actors.ListQuery) call {
	return func(b *testing.B) ([]string, string, actors.ReadCost) {
		b.Helper()
		page, err := r.Conversations(ctx(), q)
		if err != nil {
			b.Fatal(err)
		}
		return namesOf(page.Conversations), q.User, page.Cost
	}
}

func namesOf(views []conversation.View) []string {
	names := make([]string, len(views))
	for i := range views {
		names[i] = views[i].Conversation
	}
	return names
}

// token returns what leads behind the first pages, or behind fewer where there are not as many.
func (r *listReader) token(user string, pages int) (token string) {
	for range pages {
		page, err := r.Conversations(ctx(), actors.ListQuery{User: user, PageToken: token})
		if err != nil {
			r.b.Fatal(err)
		}
		if page.NextPageToken == "" {
			break
		}
		token = page.NextPageToken
	}
	return token
}

// sync returns the call that tells what changed after ten of the user's conversations did.
func (r *listReader) sync(u *listUser) call {
	const changes = 10
	page, err := r.Conversations(ctx(), actors.ListQuery{User: u.name, Limit: 1})
	if err != nil {
		r.b.Fatal(err)
	}
	for i := range changes {
		name := u.conversation((i*2 + 1) * u.conversations / (2 * changes))
		was, err := r.Get(ctx(), name, "")
		if err != nil {
			r.b.Fatal(err)
		}
		post := &conversation.Post{Seq: was.LastSeq + 1, Sender: u.name, Preview: []byte("see you at eight, and bring the papers with you")}
		if _, err := r.Propose(ctx(), &actors.Proposal{Conversation: name, Change: post}); err != nil {
			r.b.Fatal(err)
		}
	}
	return func(b *testing.B) ([]string, string, actors.ReadCost) {
		b.Helper()
		answer, err := r.Sync(ctx(), actors.SyncQuery{User: u.name, Cursor: page.SyncCursor})
		if err != nil || answer.More || answer.Full || len(answer.Changed) < changes {
			b.Fatalf("sync told %d changes (more: %t, full: %t, %v), want %d", len(answer.Changed), answer.More, answer.Full, err, changes)
		}
		return namesOf(answer.Changed), u.name, answer.Cost
	}
}

func (r *listReader) fullSync(user string) call {
	return func(b *testing.B) (names []string, _ string, cost actors.ReadCost) {
		b.Helper()
		for cursor, more := "", true; more; {
			page, err := r.Sync(ctx(), actors.SyncQuery{User: user, Cursor: cursor, Limit: actors.MaxPage})
			if err != nil {
				b.Fatal(err)
			}
			names = append(names, namesOf(page.Changed)...)
			cost.Entries += page.Cost.Entries
			cost.Conversations += page.Cost.Conversations
			cost.Rows += page.Cost.Rows
			cursor, more = page.Cursor, page.More
		}
		return names, user, cost
	}
}

func (r *listReader) badge(user string) call {
	return func(b *testing.B) ([]string, string, actors.ReadCost) {
		b.Helper()
		badge, err := r.Badge(ctx(), user)
		if err != nil || badge.Unread == 0 {
			b.Fatalf("%+v, %v", badge, err)
		}
		return nil, user, badge.Cost
	}
}

// floor gets heads and memberships.
func (r *listReader) floor(b *testing.B, keys [][]byte) {
	b.Helper()
	snapshot, err := r.store.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	defer snapshot.Close()
	for _, key := range keys {
		if _, err := snapshot.Get(ctx(), key); err != nil {
			b.Fatalf("%q: %v", key, err)
		}
	}
}

func floorKeys(names []string, user string) (keys [][]byte) {
	for _, name := range names {
		keys = append(keys, persistence.HeadKey(name), persistence.MembershipKey(user, name))
	}
	return keys
}

// measure calls in turns with getting the floor, under load.
func (r *listReader) measure(b *testing.B, do call) {
	b.Helper()
	load := startLoad(b, r.Engine)
	var took, floor []time.Duration
	names, user, cost := do(b)
	keys := floorKeys(names, user)
	for range min(*lists.samples/4, 20) { // so that it is warm
		do(b)
		r.floor(b, keys)
	}
	for b.Loop() {
		for start, n := time.Now(), 0; n < *lists.samples && (n < 3 || time.Since(start) < *lists.most); n++ {
			began := time.Now()
			do(b)
			took = append(took, time.Since(began))
			if len(keys) > 0 {
				began = time.Now()
				r.floor(b, keys)
				floor = append(floor, time.Since(began))
			}
		}
	}
	used := r.used(b, do)
	b.ReportMetric(load.end(), "commits/s")
	if quantile(used, 1) > 0 {
		b.ReportMetric(milliseconds(quantile(used, 0.5)), "cpu-p50-ms")
		b.ReportMetric(milliseconds(quantile(used, 0.99)), "cpu-p99-ms")
	}
	report(b, took, floor, cost)
}

// used returns what calls took of a processor. They are measured by themselves: a goroutine that is locked to its thread, so that the thread's time is its own, waits longer for its turn.
func (r *listReader) used(b *testing.B, do call) (used []time.Duration) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for start, n := time.Now(), 0; n < *lists.samples && (n < 3 || time.Since(start) < *lists.most); n++ {
		busy := threadTime()
		do(b)
		used = append(used, threadTime()-busy)
	}
	return used
}

func report(b *testing.B, took, floor []time.Duration, cost actors.ReadCost) {
	b.Helper()
	b.ReportMetric(milliseconds(quantile(took, 0.5)), "p50-ms")
	b.ReportMetric(milliseconds(quantile(took, 0.99)), "p99-ms")
	if len(floor) > 0 {
		b.ReportMetric(milliseconds(quantile(floor, 0.5)), "floor-p50-ms")
		b.ReportMetric(milliseconds(quantile(floor, 0.99)), "floor-p99-ms")
		b.ReportMetric(quantile(took, 0.5).Seconds()/quantile(floor, 0.5).Seconds(), "ratio")
	}
	b.ReportMetric(float64(cost.Entries), "entries")
	b.ReportMetric(float64(cost.Conversations), "conversations")
	b.ReportMetric(float64(cost.Rows), "rows")
	b.ReportMetric(0, "ns/op")
}

// quantile returns the smallest duration that a part of all do not exceed.
func quantile(all []time.Duration, part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, max(0, int(math.Ceil(part*float64(len(sorted))))-1))]
}

// coldPage measures the first call of engines that are started on a store of which nothing is in memory. The floor is that of another engine, started likewise, that only gets
// the rows.
func coldPage(b *testing.B, user string) {
	b.Helper()
	dir := allLists.in(b)
	var took, floor []time.Duration
	var keys [][]byte
	var cost actors.ReadCost
	kept := 0.0
	begin := func(measured func(r *listReader)) {
		kept = max(kept, forget(b, dir))
		r := startReader(b, dir)
		load := startLoad(b, r.Engine)
		measured(r)
		load.end()
		r.stop(b)
	}
	for b.Loop() {
		for range *lists.colds {
			begin(func(r *listReader) {
				began := time.Now()
				names, _, found := r.list(actors.ListQuery{User: user})(b)
				took = append(took, time.Since(began))
				keys, cost = floorKeys(names, user), found
			})
			rand.Shuffle(len(keys), func(i, k int) { keys[i], keys[k] = keys[k], keys[i] })
			begin(func(r *listReader) {
				began := time.Now()
				r.floor(b, keys)
				floor = append(floor, time.Since(began))
			})
		}
	}
	b.ReportMetric(100*kept, "%kept-in-memory")
	report(b, took, floor, cost)
}
