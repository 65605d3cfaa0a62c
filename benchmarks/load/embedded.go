package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/scratch"
	"github.com/parley-im/parley/benchmarks/workload"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// EmbeddedConfig says how an engine is embedded. The zero value uses a temporary directory.
type EmbeddedConfig struct {
	// Dir is a new or empty directory, which is left behind. "": a temporary one, which is removed.
	Dir string
	// Store sets the store up.
	Store badgerstore.Options
	// Engine sets the engine up. Clock, Observer.Expired and the policy of workload.ExpiringNamespace are this package's.
	Engine actors.Config
}

// stopWithin bounds how long an engine may take to stop.
const stopWithin = time.Minute

// Embedded is an engine in this process, on a store of its own. Its clock stands still until the run begins. It is good for one run.
type Embedded struct {
	*actors.Engine

	store  *badgerstore.Store
	remove func() error
	clock  *gate
	tell   atomic.Pointer[func(Expiration)]
}

// OpenEmbedded starts an engine for a run of w as c says: what w wants expired has its deadline when that phase of the run begins. The caller closes it.
func OpenEmbedded(ctx context.Context, w *workload.Workload, c Config, as EmbeddedConfig) (*Embedded, error) {
	dir, remove, err := scratch.Open(as.Dir, "load")
	if err != nil {
		return nil, err
	}
	store, err := badgerstore.Open(dir, as.Store)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load: %w", err), remove())
	}
	e := &Embedded{store: store, remove: remove, clock: newGate()}
	e.Engine, err = actors.Start(ctx, nil, store, e.settings(as.Engine, w, c))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load: %w", err), store.Close(), remove())
	}
	return e, nil
}

func (e *Embedded) settings(settings actors.Config, w *workload.Workload, c Config) actors.Config {
	settings.Clock = e.clock
	settings.Observer = actors.Observers(settings.Observer, &actors.Observer{Expired: func(i actors.ExpiredInfo) {
		if tell := e.tell.Load(); tell != nil {
			(*tell)(Expiration{Conversation: i.Conversation, Lateness: i.Lateness})
		}
	}})
	namespaces := map[string]conversation.Policy{
		// Begun at the one moment at which the clock stands.
		workload.ExpiringNamespace: {ExpireAge: max(c.until(w, workload.Expires), time.Millisecond), ExpireJitter: w.ExpireOver()},
	}
	for name, policy := range settings.Namespaces {
		if name != workload.ExpiringNamespace {
			namespaces[name] = policy
		}
	}
	settings.Namespaces = namespaces
	return settings
}

func (e *Embedded) goOn() { e.clock.goOn() }

// Vitals implements [Target]. The process is this one: the load's own memory is in it.
func (e *Embedded) Vitals(context.Context) (Vitals, error) {
	v := ownVitals()
	reaper := e.Stats().Reaper
	v.DeletedRows, v.Backlog = reaper.Rows, uint64(max(0, reaper.Backlog))
	return v, nil
}

// Expirations implements [Target].
func (e *Embedded) Expirations(ctx context.Context, began func(), tell func(Expiration)) error {
	e.tell.Store(&tell)
	began()
	<-ctx.Done()
	e.tell.Store(nil)
	return context.Cause(ctx)
}

// Close stops the engine, which writes what it has accepted, closes the store, and removes the directory if it is a temporary one.
func (e *Embedded) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return errors.Join(e.Stop(ctx), e.store.Close(), e.remove())
}
