package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// manner is how a vector is run.
type manner struct {
	door     string
	twice    bool // every change is proposed twice
	restarts bool // the engine is restarted before every third step, so that what it knows is what it stored
}

func (m manner) String() string {
	switch {
	case m.twice:
		return m.door + ", every change twice"
	case m.restarts:
		return m.door + ", with restarts"
	}
	return m.door
}

// run runs a vector, in a bubble of its own, and returns what was seen: it is to be the same whatever the manner.
func (v *vector) run(t *testing.T, page map[string][]string, m manner) (transcript []string) {
	t.Helper()
	var system *actor.ActorSystem
	if m.door == "actor" {
		system = newHost(t)
	}
	config := actors.Config{Default: v.Policy.policy(), Workers: 1, Loaders: 1}
	config.Reaper.BatchDelay = time.Second // long enough for a look at what is over and not yet deleted
	engine := actorstest.StartOn(t, persistencetest.NewStore(), system, config)
	r := &runner{page: page, manner: m, engine: engine, door: openDoor(t, m.door, engine, system), symbols: map[string]string{}, ranks: map[string]map[string]int{}}
	for i, s := range v.Steps {
		r.at = fmt.Sprintf("step %d", i)
		if s.Note != "" {
			r.at += " (" + s.Note + ")"
		}
		if m.restarts && i%3 == 2 {
			r.restart()
		}
		r.step(t, s)
	}
	return r.transcript
}

// runner is where a run of a vector stands.
type runner struct {
	page       map[string][]string
	manner     manner
	engine     *actorstest.Engine
	door       door
	at         string
	symbols    map[string]string
	ranks      map[string]map[string]int // of generations, by conversation: numbers differ from one engine to the next
	transcript []string
}

func (r *runner) restart() {
	r.engine.Restart()
	r.door.use(r.engine.Engine)
}

func (r *runner) step(t *testing.T, s *step) {
	t.Helper()
	switch {
	case s.Advance != 0:
		r.engine.Advance(time.Duration(s.Advance))
	case s.Restart:
		r.restart()
	case s.Propose != nil:
		r.propose(t, s)
	case s.Batch != nil:
		r.batch(t, s.Batch)
	default:
		r.look(t, s)
	}
}

// expected returns the one word that is to come of a step: as it says itself, which its cell must promise, or else as its cell does.
func (s *step) expected(page map[string][]string) (string, error) {
	promised, ok := page[s.Cell]
	switch {
	case s.Cell != "" && !ok:
		return "", fmt.Errorf("docs/semantics.md promises nothing at %q", s.Cell)
	case s.Outcome != "" && ok && !slices.Contains(promised, s.Outcome):
		return "", fmt.Errorf("docs/semantics.md promises %v at %q, not %q", promised, s.Cell, s.Outcome)
	case s.Outcome != "":
		return s.Outcome, nil
	case len(promised) > 1:
		return "", fmt.Errorf("docs/semantics.md promises %v at %q: the step must say which", promised, s.Cell)
	case ok:
		return promised[0], nil
	case s.Propose != nil:
		return "changed", nil
	}
	return "", nil
}

func (r *runner) expected(t *testing.T, s *step) string {
	t.Helper()
	outcome, err := s.expected(r.page)
	if err != nil {
		t.Fatalf("%s: %v", r.at, err)
	}
	return outcome
}

// request fills a request in; n stands for $n.
func (r *runner) request(t *testing.T, text json.RawMessage, n uint64) []byte {
	t.Helper()
	value, err := decodeJSON(text)
	if err == nil {
		value, err = fill(value, func(name string) (string, error) {
			if name == "$n" {
				return strconv.FormatUint(n, 10), nil
			}
			if known, ok := r.symbols[name]; ok {
				return known, nil
			}
			return "", fmt.Errorf("%s was not seen yet", name)
		})
	}
	if err == nil {
		text, err = json.Marshal(value)
	}
	if err != nil {
		t.Fatalf("%s: %v", r.at, err)
	}
	return text
}

// record adds to the transcript what was seen, generations by their rank, and of tokens and cursors whether they are there: what they lead to is seen by the steps that use them.
func (r *runner) record(t *testing.T, status string, message proto.Message) {
	t.Helper()
	value := r.plain(t, message)
	r.rank(value)
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("%s: %v", r.at, err)
	}
	r.transcript = append(r.transcript, fmt.Sprintf("%s: %s %s", r.at, status, text))
}

func (r *runner) rank(value any) {
	switch v := value.(type) {
	case map[string]any:
		name, _ := v["conversation"].(string)
		if generation, ok := v["generation"].(string); ok && generation != "0" {
			if r.ranks[name] == nil {
				r.ranks[name] = map[string]int{}
			}
			if r.ranks[name][generation] == 0 {
				r.ranks[name][generation] = len(r.ranks[name]) + 1
			}
			v["generation"] = r.ranks[name][generation]
		}
		for field, member := range v {
			if token, ok := member.(string); ok && token != "" && slices.Contains([]string{"next_page_token", "sync_cursor", "cursor"}, field) {
				v[field] = "there"
			}
			r.rank(member)
		}
	case []any:
		for _, item := range v {
			r.rank(item)
		}
	}
}
