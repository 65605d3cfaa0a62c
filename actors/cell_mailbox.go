package actors

import "github.com/asynkron/protoactor-go/actor"

var _ actor.Mailbox = (*cell)(nil)

// PostUserMessage implements actor.Mailbox. Nobody has the address of a conversation's actor but its shard, which sends it nothing this way.
func (c *cell) PostUserMessage(message any) {
	if message == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != sealed {
		c.queue.push(message)
		c.countBusy()
		c.schedule()
	}
}

// PostSystemMessage implements actor.Mailbox. It is accepted in every phase.
func (c *cell) PostSystemMessage(message any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.system.push(message)
	c.schedule()
}

// RegisterHandlers implements actor.Mailbox. The dispatcher is the cell's own worker.
func (c *cell) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.invoker, c.suspended = invoker, false
	c.system.take() // whatever is left was meant for an actor that has ended
}

// Start implements actor.Mailbox.
func (c *cell) Start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schedule()
}

// UserMessageCount implements actor.Mailbox.
func (c *cell) UserMessageCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.len()
}
