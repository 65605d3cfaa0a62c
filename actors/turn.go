package actors

import "context"

// turns bounds how many questions about users' conversations are answered at the same time.
type turns chan struct{}

// take waits for a turn, for as long as ctx and the engine last. Whoever got one must give it back.
func (e *Engine) take(ctx context.Context) (giveBack func(), err error) {
	select {
	case e.turns <- struct{}{}:
		return func() { <-e.turns }, nil
	case <-ctx.Done():
		return nil, unavailable("", context.Cause(ctx))
	case <-e.done:
		return nil, unavailable("", ErrStopped)
	}
}
