package actors

import (
	"math"
	"sync"
	"time"

	"github.com/parley-im/parley/persistence"
)

// pace is how fast the reaper may delete: a rate that is steered by what proposals feel, and what has been taken of it.
//
// The rate follows TCP Vegas (Brakmo, O'Malley, Peterson, 1994): the delay that is felt over the delay that there is without us says whether there is room, before anything is lost. It
// grows while that is below one bound, shrinks while it is above another, and stays between the two: without that band it would swing for ever. As TCP does, it doubles until it meets
// the first resistance, then grows by steps and shrinks by a factor (AIMD: Chiu and Jain, 1989, show that this converges), does not grow while nobody uses what it allows, and begins
// anew after a rest (RFC 2861). What the queue is to Vegas is lateness to whoever waits for a deletion: it raises the floor, up to the ceiling, as Pebble's delete pacer goes faster the more it
// is behind.
//
// The rate is kept by the generic cell rate algorithm (ITU-T I.371): an instant before which nothing may be taken, moved on by what is taken.
//
// Any goroutine may call it. Every time comes from the caller.
type pace struct {
	floor, ceiling float64       // rows a second; ceiling 0: there is no bound
	tolerable      time.Duration // the lateness at which the floor has reached the ceiling

	mu      sync.Mutex
	rate    float64
	free    persistence.Instant // when more may be taken
	steered persistence.Instant
	used    persistence.Instant // when something was taken last
	wanted  bool                // somebody had to wait since it was steered
	opening bool                // it meets no resistance yet
	strikes int                 // how often in a row proposals felt too much
	holding int                 // how many more times it does not grow
	turn    Turn                // the last
	feeling feeling             // that it was steered by last
	meter   meter
}

// Turn is a direction of the reaper's pace.
type Turn string

// The directions.
const (
	Steady Turn = ""       // it has not moved yet
	Faster Turn = "faster" // proposals do not feel it, or it is late
	Slower Turn = "slower" // proposals feel it
)

const (
	steerEvery = 100 * time.Millisecond
	// roomy and crowded are the bounds of what is felt, in parts of what is felt without deletions. slack is what does not matter whatever the parts.
	roomy, crowded = 1.2, 1.5
	slack          = 500 * time.Microsecond
	// crowdSlack is how many proposals more than usual may wait.
	crowdSlack = 256
	// nearlyFull is how full the journal may be. What comes behind that is refused soon.
	nearlyFull = 0.5
	// opening, growth and shrinking: by a factor, by this part of the way from the floor to the ceiling, by a factor.
	doubling, growth, shrinking = 2, 0.02, 0.7
	// strikesToShrink is how often in a row too much must be felt: a single slow write is not the reaper's.
	strikesToShrink = 2
	// holdAfterShrinking keeps it from growing at once: what was felt is an average over a while.
	holdAfterShrinking = 5
	// restAfter is how long nothing is taken until the rate is one that the present knows nothing of.
	restAfter = 2 * time.Second
	// burst is how much may be made up for, of what was not taken because somebody woke too late.
	burst = 20 * time.Millisecond
	// lateShare of the tolerable lateness is where the floor begins to rise.
	lateShare = 10
)

func newPace(c ReaperConfig) *pace {
	p := &pace{floor: float64(c.MinRowsPerSecond), ceiling: float64(c.MaxRowsPerSecond), tolerable: c.MaxLateness, opening: true}
	if c.MaxRowsPerSecond < 0 {
		p.floor, p.ceiling = 0, 0
	}
	p.rate = p.floor
	return p
}

func (p *pace) bounded() bool { return p.ceiling > 0 }

// unhurried is how long so many rows take at the floor: of work that nobody waits for.
func (p *pace) unhurried(rows int) time.Duration {
	if !p.bounded() {
		return 0
	}
	return time.Duration(float64(rows) / p.floor * float64(time.Second))
}

// steer adapts the rate, if it is time. It returns what to tell if that changed its direction.
func (p *pace) steer(now persistence.Instant, read func() feeling) (turned *PaceInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.steered) < steerEvery {
		return nil
	}
	if now.Sub(p.used) >= restAfter {
		p.opening, p.strikes, p.holding = true, 0, 0
		p.rate = max(p.floor, p.rate/doubling)
	}
	p.steered = now
	f := read()
	p.feeling = f
	if !p.bounded() {
		return nil
	}
	before := p.rate
	p.adapt(f)
	p.wanted = false
	turn := p.turn
	switch {
	case p.rate > before:
		turn = Faster
	case p.rate < before:
		turn = Slower
	}
	if turn == p.turn {
		return nil
	}
	p.turn = turn
	return &PaceInfo{
		Turn: turn, Before: int(before), RowsPerSecond: int(p.rate), Felt: f.Felt, Quiet: f.Quiet, Waiting: f.Waiting, JournalFill: f.Fill, Late: f.Late,
	}
}

// adapt is one step. p.mu is held.
func (p *pace) adapt(f feeling) {
	strain := f.strain()
	if strain > crowded {
		p.strikes++
	} else {
		p.strikes = 0
	}
	switch {
	case p.strikes >= strikesToShrink:
		p.rate *= shrinking
		p.strikes, p.holding, p.opening = 0, holdAfterShrinking, false
	case p.holding > 0:
		p.holding--
	case strain > roomy || !p.wanted:
	case p.opening:
		p.rate *= doubling
	default:
		p.rate += growth * (p.ceiling - p.floor)
	}
	p.rate = min(max(p.rate, p.lowest(f.Late)), p.ceiling)
}

// strain returns how many times as long proposals wait as they would without deletions, as far as that can be said.
func (f *feeling) strain() float64 {
	strain := 1.0
	if f.Quiet > 0 && f.Felt > f.Quiet+slack {
		strain = float64(f.Felt) / float64(f.Quiet)
	}
	if f.Waiting > 2*f.Crowd+crowdSlack {
		strain = max(strain, float64(f.Waiting)/float64(f.Crowd+crowdSlack))
	}
	if f.Fill > nearlyFull {
		strain = math.Inf(1)
	}
	return strain
}

// lowest is what the rate is at least, whatever proposals feel.
func (p *pace) lowest(late time.Duration) float64 {
	from := p.tolerable / lateShare
	urgency := min(1, max(0, float64(late-from)/float64(p.tolerable-from)))
	return p.floor + urgency*(p.ceiling-p.floor)
}

// take charges rows, and returns when more may be taken. It may charge less than nothing, to correct what was charged before.
func (p *pace) take(now persistence.Instant, rows int) (free persistence.Instant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used = now
	if !p.bounded() {
		return 0
	}
	p.free = max(p.free, now.Add(-burst)).Add(time.Duration(float64(rows) / p.rate * float64(time.Second)))
	return p.free
}

// next returns when more may be taken.
func (p *pace) next() persistence.Instant {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.free
}

// want says that somebody waits for the pace alone.
func (p *pace) want() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = true
}

// deleted counts what was deleted.
func (p *pace) deleted(now persistence.Instant, rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.add(now, rows)
}

// rates returns the rows a second that are deleted, and those that may be; 0: any number.
func (p *pace) rates(now persistence.Instant) (rate, allowed float64, felt feeling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.meter.rate(now), p.rate, p.feeling
}

// meter measures a rate over the last second or so.
type meter struct {
	began, last   persistence.Instant // of the window under way; of the last rows
	rows          int
	before        float64 // the rate of the window before
	hasWindow     bool
	windowsBefore bool
}

const meterWindow = 500 * time.Millisecond

func (m *meter) add(now persistence.Instant, rows int) {
	if !m.hasWindow || now.Sub(m.last) > 2*meterWindow {
		*m = meter{began: now, last: now, hasWindow: true} // these rows were deleted in the time before
		return
	}
	m.rows += rows
	m.last = now
	if span := now.Sub(m.began); span >= meterWindow {
		m.before, m.windowsBefore = float64(m.rows)/span.Seconds(), true
		m.began, m.rows = now, 0
	}
}

func (m *meter) rate(now persistence.Instant) float64 {
	switch span := now.Sub(m.began); {
	case !m.hasWindow || now.Sub(m.last) > 2*meterWindow:
		return 0
	case m.windowsBefore:
		return m.before
	case span > 0:
		return float64(m.rows) / max(span, meterWindow/5).Seconds()
	}
	return 0
}
