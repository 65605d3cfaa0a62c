package actors

import "github.com/parley-im/parley/persistence"

// Break makes conversations fail: before a proposal is applied, and when their actor starts or stops.
func (c *Config) Break(onApply func(p *Proposal), onLifecycle func(message any)) {
	c.trap.onApply, c.trap.onLifecycle = onApply, onLifecycle
}

// BreakJudging makes conversations fail when they are judged.
func (c *Config) BreakJudging(onJudge func(name string)) { c.trap.onJudge = onJudge }

// BreakForgetting makes conversations fail when they are to forget a user.
func (c *Config) BreakForgetting(onForget func(name string)) { c.trap.onForget = onForget }

// FailShard makes the actor of a conversation's shard panic.
func (e *Engine) FailShard(name string) { e.shardOf(name).tell(&loaded{}) }

// FailReaper makes the reaper panic.
func (e *Engine) FailReaper() { e.tellReaper(&verdict{}) }

// Processes returns how many actors and other processes the engine's own actor system has.
func (e *Engine) Processes() int {
	n := 0
	for _, m := range e.system.ProcessRegistry.LocalPIDs.LocalPIDs {
		n += m.Count()
	}
	return n
}

// Settled returns what everything with a lower stamp is committed of.
func (e *Engine) Settled() persistence.Instant { return e.settled() }

// Memory makes the engine believe that the process needs so much memory, and may take so much. Each answer is that of another of the collector's cycles.
func (c *Config) Memory(read func() (used, limit uint64)) {
	var cycle uint64
	c.trap.memory = func() memoryUse {
		cycle++
		m := memoryUse{cycle: cycle}
		m.used, m.limit = read()
		return m
	}
}

// Active reports whether a conversation has an actor.
func (e *Engine) Active(name string) bool {
	c := e.shardOf(name).cells.find(name)
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == active || c.phase == parked
}
