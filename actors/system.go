package actors

import (
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	cmap "github.com/orcaman/concurrent-map"
)

// newSystem returns an actor system for the engine alone. It logs nothing: failures reach the Observer through the supervisors below, which protoactor's
// logger would only repeat, one unthrottled line for each panic. It has no metrics provider: that keeps a callback for every actor ever spawned.
func newSystem() *actor.ActorSystem {
	config := actor.NewConfig()
	config.LoggerFactory = func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystemWithConfig(config)
	// Messages may come too late: a goroutine reports to an actor after the engine has ended, a shard stops a conversation that is stopping itself. Those
	// are dropped. On its own event stream, protoactor would log them, and start a goroutine for that which nobody waits for.
	system.EventStream = eventstream.NewEventStream()
	consolidate(system.ProcessRegistry)
	return system
}

// consolidate has a registry of 32 maps instead of 32,768, which are there so that many goroutines can look up actors at the same time: here it is shards that do, and seldom. The collector follows each map, and finds the
// entries of fewer of them one beside the other. Nobody else may use the registry yet.
func consolidate(registry *actor.ProcessRegistryValue) {
	before := registry.LocalPIDs.LocalPIDs
	registry.LocalPIDs = &actor.SliceMap{LocalPIDs: []cmap.ConcurrentMap{cmap.New()}}
	for _, m := range before {
		m.IterCb(func(id string, process any) { registry.LocalPIDs.GetBucket(id).Set(id, process) })
	}
}

// rootActor is the parent of the engine's actors: of all shards, and of the reaper.
type rootActor struct {
	engine  *Engine
	started chan struct{}
	stopped chan struct{}
	names   map[string]string // what the children are, by the names of their actors
}

var _ actor.SupervisorStrategy = (*rootActor)(nil)

// startActors spawns the engine's actors and returns once they have addresses.
func (e *Engine) startActors() {
	root := &rootActor{engine: e, started: make(chan struct{}), stopped: make(chan struct{}), names: map[string]string{}}
	// Without a guardian of its own, protoactor stops an actor at the root after ten failures in ten seconds.
	e.root = e.system.Root.WithGuardian(actor.RestartingSupervisorStrategy()).
		Spawn(actor.PropsFromProducer(func() actor.Actor { return root }))
	e.rootStopped = root.stopped
	<-root.started
}

// Receive implements actor.Actor.
func (r *rootActor) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		r.spawn(ctx)
	case *actor.Stopped:
		close(r.stopped)
	}
}

func (r *rootActor) spawn(ctx actor.Context) {
	e := r.engine
	for _, s := range e.shards {
		s.pid = ctx.Spawn(actor.PropsFromProducer(func() actor.Actor { return newShardActor(s) }, actor.WithDispatcher(s.worker)))
		r.names[s.pid.Id] = "shard"
	}
	// The reaper runs on goroutines of its own, not on the workers of conversations.
	e.reaper = ctx.Spawn(actor.PropsFromProducer(func() actor.Actor { return newReaper(e) }))
	r.names[e.reaper.Id] = "reaper"
	close(r.started)
}

// HandleFailure implements actor.SupervisorStrategy: a shard or the reaper that fails begins again from what is in its tables and in the store.
func (r *rootActor) HandleFailure(
	_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any,
) {
	r.engine.failed(FailedInfo{What: r.names[child.Id], Reason: reason})
	supervisor.RestartChildren(child)
}
