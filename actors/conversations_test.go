package actors

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

func TestWhatIsSentReachesTheActorThatIsAddressedAndNotTheNextOne(t *testing.T) {
	f := newCellFixture(t)
	registry := f.shard.engine.system.ProcessRegistry
	all := conversations{f.shard}
	var log []string
	spawn := func(name string, number uint64) *actor.PID {
		f.cell.number = number
		f.attach(name, &log)
		pid, _ := registry.Add(all, f.cell.actorName())
		return pid
	}
	first := spawn("first", 1)
	f.shard.engine.system.Root.Send(first, &learned{users: []string{"in time"}})
	f.shard.engine.system.Root.Stop(first) // by which the address comes to know the process
	f.settle()
	registry.Remove(first)
	f.detach()
	second := spawn("second", 2)
	f.shard.engine.system.Root.Send(first, &learned{users: []string{"too late"}})
	f.shard.engine.system.Root.Stop(first)
	f.settle()
	f.shard.engine.system.Root.Stop(second)
	f.settle()
	wantLog(t, log, "first: *actor.Stop", "second: learned [in time]", "second: *actor.Stop")
}
