package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/oracle"
	"github.com/parley-im/parley/benchmarks/trace"
)

// engine is what a driver asks of an [actors.Engine].
type engine interface {
	ProposeBatch(ctx context.Context, proposals []*actors.Proposal) ([]actors.Reply, error)
	Get(ctx context.Context, id, user string) (conversation.View, error)
	Settle(ctx context.Context) error
}

const (
	// maxBatch bounds the messages of one second that are proposed together.
	maxBatch = 256
	// progressEvery is how many messages pass between two calls of Progress.
	progressEvery = 4096
	// patience is how long an engine may go on refusing a proposal as overloaded, in real time.
	patience = 30 * time.Second
)

// driver sends the messages of a trace to an engine, each at its own virtual time.
type driver struct {
	engine   engine
	clock    *clock.Virtual
	oracle   *oracle.Oracle
	progress func(read, size int64)

	// settleWithin bounds how far the clock moves without the engine having settled. A deadline is a whole retention away when it is set, so with
	// half of one no timer can be passed that is still being armed.
	settleWithin time.Duration
	settled      time.Time

	second int64              // of the messages in batch
	batch  []*actors.Proposal // read, not proposed yet
	lines  []int              // where each was read
	users  map[uint32]string
	names  map[uint32]string

	refused, unchanged, retried int
	firstFault                  *Difference // the first message that was not applied as new
}

// run reads the rest of a trace, of which first is the first row.
func (d *driver) run(ctx context.Context, reader *trace.Reader, first *trace.Row) error {
	row := first
	for n := 1; ; n++ {
		if row.Second != d.second || len(d.batch) == maxBatch {
			if err := d.propose(ctx); err != nil {
				return err
			}
			if err := d.advance(ctx, row.At()); err != nil {
				return err
			}
			d.second = row.Second
		}
		d.add(row, reader.Line())
		if n%progressEvery == 0 {
			d.progress(reader.Position())
		}
		var err error
		row, err = reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := d.propose(ctx); err != nil {
		return err
	}
	d.progress(reader.Position())
	return d.settle(ctx)
}

// add puts the proposal of a row into the batch.
func (d *driver) add(row *trace.Row, line int) {
	d.oracle.Message(row.Conversation, row.Seq, row.Second)
	post := &conversation.Post{Seq: row.Seq, Sender: named(d.users, row.Sender, userName), SentAt: row.At()}
	if len(row.Mentions) > 0 {
		post.Mentions = make([]string, len(row.Mentions))
		for i, user := range row.Mentions {
			post.Mentions[i] = named(d.users, user, userName)
		}
	}
	d.batch = append(d.batch, &actors.Proposal{
		Conversation: named(d.names, row.Conversation, conversationName),
		Change:       post,
		Ack:          actors.AckApplied,
	})
	d.lines = append(d.lines, line)
}

// named returns the name of a number, made at its first use.
func named(names map[uint32]string, number uint32, name func(uint32) string) string {
	s, ok := names[number]
	if !ok {
		s = name(number)
		names[number] = s
	}
	return s
}

// advance moves the clock to a message's time, with a stop at every timer on the way. A timer due at that very time still comes first.
func (d *driver) advance(ctx context.Context, to time.Time) error {
	if to.Sub(d.settled) >= d.settleWithin {
		if err := d.settle(ctx); err != nil {
			return err
		}
	}
	for {
		due, ok := d.clock.Next()
		if !ok || due.After(to) {
			d.clock.Advance(to)
			return nil
		}
		d.clock.Advance(due)
		if err := d.settle(ctx); err != nil {
			return err
		}
	}
}

func (d *driver) settle(ctx context.Context) error {
	d.settled = d.clock.Now()
	if err := d.engine.Settle(ctx); err != nil {
		return fmt.Errorf("replay: settling at %s: %w", d.settled.Format(time.RFC3339), err)
	}
	return nil
}

// propose sends the batch and waits until all of it was answered. What is refused as overloaded is sent again: the store is slower than the
// replay, and on the virtual clock nothing else passes meanwhile.
func (d *driver) propose(ctx context.Context) error {
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; len(d.batch) > 0; pause = min(2*pause, 64*time.Millisecond) {
		replies, err := d.engine.ProposeBatch(ctx, d.batch)
		if err != nil {
			return fmt.Errorf("replay: line %d: %w", d.lines[0], err)
		}
		again := 0
		for i, reply := range replies {
			switch {
			case errors.Is(reply.Err, conversation.ErrUnavailable):
				return fmt.Errorf("replay: line %d: %w", d.lines[i], reply.Err)
			case errors.Is(reply.Err, conversation.ErrOverloaded) && time.Now().Before(deadline):
				d.batch[again], d.lines[again] = d.batch[i], d.lines[i]
				again++
			case reply.Err != nil:
				d.refused++
				d.fault(d.lines[i], d.batch[i], fmt.Sprintf("was refused: %v", reply.Err))
			case !reply.Changed:
				d.unchanged++
				d.fault(d.lines[i], d.batch[i], "was taken for a repetition")
			}
		}
		clear(d.batch[again:])
		d.batch, d.lines = d.batch[:again], d.lines[:again]
		if again > 0 {
			d.retried += again
			if err := wait(ctx, pause); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *driver) fault(line int, proposal *actors.Proposal, what string) {
	if d.firstFault == nil {
		d.firstFault = &Difference{
			Conversation: proposal.Conversation,
			At:           d.clock.Now(),
			What:         fmt.Sprintf("the message in line %d %s", line, what),
		}
	}
}

// wait lets real time pass.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
