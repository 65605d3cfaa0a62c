package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func (r *runner) propose(t *testing.T, s *step) {
	t.Helper()
	if s.Each != nil {
		r.each(t, s)
		return
	}
	request := r.request(t, s.Propose, 0)
	response, refusal := r.door.propose(t, request, s.Extra)
	if refusal != nil {
		response = &parleyv1.ProposeResponse{Error: refusal.detail}
		r.record(t, refusal.code.String(), refusal.detail)
	} else {
		r.record(t, "", response)
	}
	r.answer(t, s, response)
	if !r.manner.twice {
		return
	}
	again, refusal := r.door.propose(t, request, s.Extra)
	if refusal != nil {
		again = &parleyv1.ProposeResponse{Error: refusal.detail}
	}
	r.repeat(t, s, response, again)
}

// maxVectorBatch is how many of a step's proposals go into one batch.
const maxVectorBatch = 500

// each proposes a step's change for each of its numbers, in batches.
func (r *runner) each(t *testing.T, s *step) {
	t.Helper()
	var items []*step
	for n := s.Each[0]; n <= s.Each[1]; n++ {
		item := *s
		item.Propose, item.Each = r.request(t, s.Propose, n), nil
		items = append(items, &item)
	}
	for part := range slices.Chunk(items, maxVectorBatch) {
		r.batch(t, part)
	}
}

// batch proposes the changes of steps together; in the manner that has everything twice, each is followed by its repeat.
func (r *runner) batch(t *testing.T, items []*step) {
	t.Helper()
	var requests [][]byte
	for _, item := range items {
		request := r.request(t, item.Propose, 0)
		requests = append(requests, request)
		if r.manner.twice {
			requests = append(requests, request)
		}
	}
	responses := r.door.batch(t, requests)
	if len(responses) != len(requests) {
		t.Fatalf("%s: %d responses to %d requests", r.at, len(responses), len(requests))
	}
	at := r.at
	for i, item := range items {
		r.at = fmt.Sprintf("%s, item %d", at, i)
		if r.manner.twice {
			r.answer(t, item, responses[2*i])
			r.repeat(t, item, responses[2*i], responses[2*i+1])
			responses[i] = responses[2*i]
		} else {
			r.answer(t, item, responses[i])
		}
		r.record(t, "", responses[i])
	}
	r.at = at
}

// outcomeOf is what a response says in one word.
func outcomeOf(response *parleyv1.ProposeResponse) (outcome, field string) {
	if err := response.GetError(); err != nil {
		return codeWord(err), err.GetField()
	}
	if response.GetChanged() {
		return "changed", ""
	}
	return "nothing", ""
}

func codeWord(err *parleyv1.Error) string { return strings.TrimPrefix(err.GetCode().String(), "CODE_") }

func (r *runner) answer(t *testing.T, s *step, response *parleyv1.ProposeResponse) {
	t.Helper()
	want := r.expected(t, s)
	if outcome, field := outcomeOf(response); outcome != want || field != s.Field {
		t.Errorf("%s: the outcome is %s %s, want %s %s: %v", r.at, outcome, field, want, s.Field, response)
		return
	}
	r.match(t, "reply", s.Reply, response)
}

// repeat checks the answer to the same change proposed once more.
func (r *runner) repeat(t *testing.T, s *step, first, again *parleyv1.ProposeResponse) {
	t.Helper()
	want := s.Again
	if want == "" {
		if want = codeWord(first.GetError()); first.GetError() == nil {
			want = "nothing"
		}
	}
	outcome, _ := outcomeOf(again)
	if outcome != want {
		t.Errorf("%s, proposed again: the outcome is %s, want %s: %v", r.at, outcome, want, again)
	}
	if outcome == "nothing" {
		same := proto.CloneOf(first)
		same.Changed = false
		if diff := cmp.Diff(r.plain(t, same), r.plain(t, again)); diff != "" {
			t.Errorf("%s, proposed again (-first +again):\n%s", r.at, diff)
		}
	}
}
