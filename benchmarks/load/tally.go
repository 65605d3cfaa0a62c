package load

import (
	"errors"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// Tally counts proposals by what became of them.
type Tally struct {
	Changed    uint64 `json:"changed"`    // the change was made
	Unchanged  uint64 `json:"unchanged"`  // it was a repetition, or a later one overtook it
	Overloaded uint64 `json:"overloaded"` // refused: the engine had too much to do
	Refused    uint64 `json:"refused"`    // refused for another reason
	Failed     uint64 `json:"failed"`     // not answered by the engine, or applied and not taken by the store
}

// Accepted is how many were done as they asked for.
func (t *Tally) Accepted() uint64 { return t.Changed + t.Unchanged }

// NotAccepted is how many were answered otherwise.
func (t *Tally) NotAccepted() uint64 { return t.Overloaded + t.Refused + t.Failed }

func (t *Tally) add(o *Tally) {
	t.Changed += o.Changed
	t.Unchanged += o.Unchanged
	t.Overloaded += o.Overloaded
	t.Refused += o.Refused
	t.Failed += o.Failed
}

// count adds a reply.
func (t *Tally) count(r *actors.Reply) {
	_, ours := errors.AsType[*conversation.Error](r.Err)
	switch {
	case r.Err == nil && r.Changed:
		t.Changed++
	case r.Err == nil:
		t.Unchanged++
	case !ours || r.Ack == actors.AckApplied:
		t.Failed++
	case errors.Is(r.Err, conversation.ErrOverloaded):
		t.Overloaded++
	default:
		t.Refused++
	}
}
