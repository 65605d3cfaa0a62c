package load

import "time"

// showEvery is how often progress is told, and recentEvery how long a while is that its figures are of.
const (
	showEvery   = 200 * time.Millisecond
	recentEvery = time.Second
)

// show tells of the progress until it is over, and once more then.
func (r *run) show(began time.Time, over <-chan struct{}) {
	tick := time.NewTicker(showEvery)
	defer tick.Stop()
	total := r.config.WarmUp + r.config.Duration
	var shown Progress
	looked := began
	for last := false; ; {
		now := time.Now()
		if since := now.Sub(looked); since >= recentEvery {
			p, answered := r.recorder.look()
			p.Answered = float64(answered) / since.Seconds()
			shown, looked = p, now
		}
		shown.Done, shown.Total = min(now.Sub(began), total), total
		shown.Phase = r.phaseAt(now.Sub(began))
		r.config.Progress(shown)
		if last {
			return
		}
		select {
		case <-tick.C:
		case <-over:
			last = true
		}
	}
}

// phaseAt names the phase of a time since the beginning.
func (r *run) phaseAt(at time.Duration) string {
	for _, p := range r.recorder.parts {
		if at < p.ends {
			return p.name
		}
	}
	return "draining"
}
