package loadserver_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/cmd/engine/internal/loadserver"
	"github.com/parley-im/parley/cmd/engine/internal/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine answers what the tests ask of it.
type engine struct {
	server.Engine

	seen    []*actors.Proposal
	replies map[string]actors.Reply // by conversation
	synced  actors.SyncQuery
}

func (e *engine) Propose(_ context.Context, p *actors.Proposal) (actors.Reply, error) {
	e.seen = append(e.seen, p)
	r := e.replies[p.Conversation]
	return r, r.Err
}

func (e *engine) ProposeBatch(_ context.Context, ps []*actors.Proposal) ([]actors.Reply, error) {
	e.seen = append(e.seen, ps...)
	replies := make([]actors.Reply, len(ps))
	for i, p := range ps {
		replies[i] = e.replies[p.Conversation]
	}
	return replies, nil
}

func (e *engine) Sync(_ context.Context, q actors.SyncQuery) (actors.SyncPage, error) {
	if e.synced = q; q.User == "nobody" {
		return actors.SyncPage{}, conversation.Invalid("user", "must be somebody")
	}
	return actors.SyncPage{Cursor: "then", More: true}, nil
}

// serve returns a server with the engine behind it, whose metrics are a page of the test's.
func serve(t *testing.T, e server.Engine, metrics string) *loadserver.Server {
	t.Helper()
	door := server.New(zerolog.Nop())
	door.Ready(e)
	mux := http.NewServeMux()
	mux.Handle("/", door.Handler())
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(metrics)) })
	at := httptest.NewServer(mux)
	t.Cleanup(at.Close)
	s := loadserver.New(at.URL, at.URL+"/metrics", 3)
	t.Cleanup(s.Close)
	return s
}

func overloaded() error {
	return &conversation.Error{Kind: conversation.ErrOverloaded, Conversation: "load:full", Reason: "too many", RetryAfter: 50 * time.Millisecond}
}

func TestProposalsArriveAsTheyWereDrawn(t *testing.T) {
	proposals := []*actors.Proposal{
		{Conversation: "load:1", Change: &conversation.Post{Seq: 7, Sender: "ann", Preview: []byte("hi"), Mentions: []string{"bob"}, Members: []string{"ann", "bob"}}, Ack: actors.AckApplied},
		{Conversation: "load:2", Change: &conversation.Join{Users: []string{"cem"}}, Ack: actors.AckCommitted, Tag: 9},
		{Conversation: "load:3", Change: &conversation.Read{User: "bob", Seq: 7}},
		{Conversation: "load:4", Change: &conversation.Delete{}, IfGeneration: 12},
	}
	e := &engine{}
	s := serve(t, e, "")
	if _, err := s.ProposeBatch(t.Context(), proposals); err != nil {
		t.Fatal(err)
	}
	for _, p := range proposals {
		if _, err := s.ProposeBatch(t.Context(), []*actors.Proposal{p}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(append(proposals, proposals...), e.seen, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("in a batch, and then one by one (-drawn +arrived):\n%s", diff)
	}
	if _, err := s.ProposeBatch(t.Context(), []*actors.Proposal{{Conversation: "load:1", Change: &conversation.Hold{On: true}}}); err == nil || !strings.Contains(err.Error(), "no hold") {
		t.Errorf("got %v for what no workload draws", err)
	}
}

func TestRepliesAndRefusalsComeBackAsTheEngineMeantThem(t *testing.T) {
	e := &engine{replies: map[string]actors.Reply{
		"load:1":    {Conversation: "load:1", Generation: 3, Version: 4, LastSeq: 5, Ack: actors.AckCommitted, Changed: true, Tag: 6},
		"load:full": {Conversation: "load:full", Err: overloaded()},
		"load:gone": {Conversation: "load:gone", Err: &conversation.Error{Kind: conversation.ErrNotFound, Conversation: "load:gone", Reason: "no such conversation"}},
	}}
	s := serve(t, e, "")
	for _, together := range []bool{true, false} {
		var replies []actors.Reply
		for _, names := range [][]string{{"load:1", "load:full", "load:gone"}} {
			var batch []*actors.Proposal
			for _, name := range names {
				batch = append(batch, &actors.Proposal{Conversation: name, Change: &conversation.Read{User: "bob", Seq: 7}})
			}
			if together {
				got, err := s.ProposeBatch(t.Context(), batch)
				if err != nil {
					t.Fatal(err)
				}
				replies = got
				continue
			}
			for i := range batch {
				got, err := s.ProposeBatch(t.Context(), batch[i:i+1])
				if err != nil {
					t.Fatal(err)
				}
				replies = append(replies, got...)
			}
		}
		if diff := cmp.Diff(e.replies["load:1"], replies[0]); diff != "" {
			t.Errorf("together %v (-want +got):\n%s", together, diff)
		}
		refusal, ok := errors.AsType[*conversation.Error](replies[1].Err)
		if !ok || !errors.Is(refusal, conversation.ErrOverloaded) || refusal.RetryAfter != 50*time.Millisecond {
			t.Errorf("together %v: got %v, want that it is overloaded, and when to try again", together, replies[1].Err)
		}
		if !errors.Is(replies[2].Err, conversation.ErrNotFound) {
			t.Errorf("together %v: got %v, want that there is none", together, replies[2].Err)
		}
	}
}

func TestASyncCarriesItsCursor(t *testing.T) {
	e := &engine{}
	s := serve(t, e, "")
	page, err := s.Sync(t.Context(), actors.SyncQuery{User: "ann", Cursor: "before", Limit: 7})
	if err != nil || page.Cursor != "then" || !page.More {
		t.Errorf("got %+v, %v", page, err)
	}
	if want := (actors.SyncQuery{User: "ann", Cursor: "before", Limit: 7}); e.synced != want {
		t.Errorf("the engine was asked %+v, want %+v", e.synced, want)
	}
	if _, err := s.Sync(t.Context(), actors.SyncQuery{User: "nobody"}); !errors.Is(err, conversation.ErrInvalid) {
		t.Errorf("got %v, want the engine's refusal", err)
	}
}

func TestVitalsAreReadFromTheMetrics(t *testing.T) {
	s := serve(t, &engine{}, `# TYPE go_memstats_heap_alloc_bytes gauge
go_memstats_heap_alloc_bytes 1.5e+07
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 4e+07
# TYPE go_goroutines gauge
go_goroutines 42
# TYPE go_gc_duration_seconds summary
go_gc_duration_seconds{quantile="1"} 0.01
go_gc_duration_seconds_sum 0.25
go_gc_duration_seconds_count 17
# TYPE parley_reaper_deleted_rows_total counter
parley_reaper_deleted_rows_total 900
# TYPE parley_reaper_backlog gauge
parley_reaper_backlog 30
`)
	got, err := s.Vitals(t.Context())
	want := load.Vitals{HeapBytes: 15_000_000, RSSBytes: 40_000_000, Goroutines: 42, GCCycles: 17, GCPauses: 250 * time.Millisecond, DeletedRows: 900, Backlog: 30}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := serve(t, &engine{}, "").Vitals(t.Context()); err != nil || got != (load.Vitals{}) {
		t.Errorf("got %+v, %v of a server that says nothing", got, err)
	}
	if _, err := serve(t, &engine{}, "what is this").Vitals(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "metrics: http://") {
		t.Errorf("got %v of what are no metrics", err)
	}
}

func TestAServerThatIsNotThereIsNoReply(t *testing.T) {
	at := httptest.NewServer(http.NotFoundHandler())
	at.Close()
	s := loadserver.New(at.URL, at.URL+"/metrics", 1)
	defer s.Close()
	batch := []*actors.Proposal{{Conversation: "load:1", Change: &conversation.Read{User: "ann", Seq: 1}}, {Conversation: "load:2", Change: &conversation.Read{User: "ann", Seq: 1}}}
	if _, err := s.ProposeBatch(t.Context(), batch); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	if err := s.Expirations(t.Context(), func() { t.Error("it said that it has begun") }, nil); err == nil {
		t.Error("nothing is wrong with watching a server that is not there")
	}
	if _, err := s.Vitals(t.Context()); err == nil {
		t.Error("nothing is wrong with its metrics")
	}
}
