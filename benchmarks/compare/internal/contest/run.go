package contest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// The programs that sides need.
const (
	EngineProgram = "engine"
	RedisProgram  = "redis-server"
)

// Runner measures. Its fields are not changed while it does.
type Runner struct {
	Launch   side.Launcher
	Size     Size
	Dir      string                 // where stores are made, and removed again; it must exist
	Programs map[string]string      // paths by name; what is not there is skipped
	Say      func(what string)      // is told what is done next
	Step     func(done, of int)     // is told how far a comparison is, in steps
	Only     func(name string) bool // nil: all

	fixtures map[int]fixture
}

// FieldName is the name by which the table of peers is chosen, beside the comparisons'.
const FieldName = "peers"

// Run measures all comparisons that were chosen. What a missing program keeps from being measured is skipped, and told in the result; any other failure
// ends the run, and what was measured until then is returned with it.
func (r *Runner) Run(ctx context.Context) (*Result, error) {
	r.fixtures = map[int]fixture{}
	result := &Result{Size: r.Size}
	before := readProcessors()
	defer func() { result.Stolen = stolen(before, readProcessors()) }()
	for _, c := range All(r.Size) {
		if !r.chosen(c.Name) {
			continue
		}
		if missing := r.missing(c.Contenders); missing != "" {
			result.Skipped = append(result.Skipped, fmt.Sprintf("%s was left out: there is no %s on the PATH.", c.Name, missing))
			continue
		}
		r.Say(c.Name)
		m, err := r.measure(ctx, c.Contenders)
		if err != nil {
			return result, fmt.Errorf("%s: %w", c.Name, err)
		}
		row := Row{Comparison: c, Outcome: m.outcome(c.Main)}
		for _, other := range c.Beside {
			row.Others = append(row.Others, Other{other, m.outcome(other)})
		}
		result.Rows = append(result.Rows, row)
	}
	if r.chosen(FieldName) {
		if err := r.field(ctx, result); err != nil {
			return result, fmt.Errorf("%s: %w", FieldName, err)
		}
	}
	return result, r.removeFixtures()
}

func (r *Runner) chosen(name string) bool { return r.Only == nil || r.Only(name) }

// missing returns the first program that the contenders need and that is not there.
func (r *Runner) missing(contenders []Contender) string {
	for _, c := range contenders {
		if c.Program != "" && r.Programs[c.Program] == "" {
			return c.Program
		}
	}
	return ""
}

// field measures the table of peers, without those whose program is missing.
func (r *Runner) field(ctx context.Context, result *Result) error {
	r.Say(FieldName)
	peers, contenders := Field(r.Size)
	var present []Contender
	places := make([]int, len(contenders))
	for i, c := range contenders {
		places[i] = -1
		if missing := r.missing([]Contender{c}); missing != "" {
			result.Skipped = append(result.Skipped, fmt.Sprintf("Of the peers, %s was left out: there is no %s on the PATH.", c.Side, missing))
			continue
		}
		places[i] = len(present)
		present = append(present, c)
	}
	m, err := r.measure(ctx, present)
	if err != nil {
		return err
	}
	figure := func(contender int, name string) float64 {
		if contender < 0 || places[contender] < 0 {
			return 0
		}
		return median(m.of(Figure{places[contender], name}))
	}
	for _, p := range peers {
		if places[p.Rate] >= 0 {
			result.Peers = append(result.Peers, PeerRow{p, figure(p.Rate, rate), figure(p.Steady, "p99"), figure(p.Heap, "heap")})
		}
	}
	return nil
}

// measure opens the contenders, has them measure in turns, and closes them.
func (r *Runner) measure(ctx context.Context, contenders []Contender) (m measured, err error) {
	steps, done := len(contenders), 0
	for _, c := range contenders {
		steps += r.rounds(c)
	}
	step := func() { done++; r.Step(done, steps) }
	r.Step(0, steps)
	sides := make([]side.Side, 0, len(contenders))
	dirs := make([]string, 0, len(contenders))
	defer func() {
		for _, s := range sides {
			err = errors.Join(err, s.Close())
		}
		for _, dir := range dirs {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	for _, c := range contenders {
		dir, err := os.MkdirTemp(r.Dir, "side-")
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
		s, err := r.open(ctx, c, dir)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
		step()
	}
	m = make(measured, len(contenders))
	for round := range r.Size.Rounds {
		order := make([]int, len(contenders))
		for i := range order {
			order[i] = i
		}
		if round%2 == 1 { // whoever is measured behind another has that one's noise
			slices.Reverse(order)
		}
		for _, i := range order {
			if round >= r.rounds(contenders[i]) {
				continue
			}
			figures, err := sides[i].Round(ctx)
			if err != nil {
				return nil, err
			}
			m[i] = append(m[i], figures)
			step()
		}
	}
	return m, nil
}

// rounds returns how many a contender takes part in.
func (r *Runner) rounds(c Contender) int {
	if c.Rounds == 0 {
		return r.Size.Rounds
	}
	return min(c.Rounds, r.Size.Rounds)
}

func (r *Runner) open(ctx context.Context, c Contender, dir string) (side.Side, error) {
	p := c.Params
	p.Dir, p.Program = dir, r.Programs[c.Program]
	if c.Fixture {
		fixture, err := r.fixture(ctx, p)
		if err != nil {
			return nil, err
		}
		p.Fixture = fixture
	}
	return r.Launch(ctx, c.Side, p)
}

// fixture is a store that was filled.
type fixture struct {
	path string
	made time.Time
}

// fresh is how old a fixture may be. Where nothing was said for most of an hour, the first post moves the entries of lists: a load that begins with that in all conversations at once is none that anybody has.
const fresh = 10 * time.Minute

// fixture returns a directory with a store of so many conversations, which is made once for all that ask for it while it is fresh.
func (r *Runner) fixture(ctx context.Context, p side.Params) (string, error) {
	if f, ok := r.fixtures[p.Known]; ok {
		if time.Since(f.made) < fresh {
			return f.path, nil
		}
		if err := os.RemoveAll(filepath.Dir(f.path)); err != nil {
			return "", err
		}
		delete(r.fixtures, p.Known)
	}
	dir, err := os.MkdirTemp(r.Dir, "fixture-")
	if err != nil {
		return "", err
	}
	filled, err := r.Launch(ctx, "parley.fixture", side.Params{Dir: dir, Known: p.Known, Members: p.Members})
	if err != nil {
		return "", fmt.Errorf("filling a store with %s conversations: %w", count(p.Known), err)
	}
	path := filepath.Join(dir, "store")
	err = filled.Close()
	r.fixtures[p.Known] = fixture{path, time.Now()}
	return path, err
}

func (r *Runner) removeFixtures() error {
	var errs []error
	for _, f := range r.fixtures {
		errs = append(errs, os.RemoveAll(filepath.Dir(f.path)))
	}
	return errors.Join(errs...)
}

// NeedsProgram reports whether any of the comparisons that are chosen needs a program; chosen nil: all are.
func NeedsProgram(program string, size Size, chosen func(name string) bool) bool {
	needs := func(c Contender) bool { return c.Program == program }
	for _, c := range All(size) {
		if (chosen == nil || chosen(c.Name)) && slices.ContainsFunc(c.Contenders, needs) {
			return true
		}
	}
	_, contenders := Field(size)
	return (chosen == nil || chosen(FieldName)) && slices.ContainsFunc(contenders, needs)
}
