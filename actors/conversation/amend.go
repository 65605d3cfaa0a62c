package conversation

import (
	"bytes"
	"fmt"

	"github.com/parley-im/parley/persistence"
)

func (a *applier) amend(m *Amend) error {
	if err := a.checkPreview("amend.preview", m.Preview); err != nil {
		return err
	}
	switch {
	case m.Seq <= a.head.Floor:
		return nil // of a generation before
	case m.Seq > a.head.LastSeq:
		return a.refuse(ErrInvalid, "amend.seq", fmt.Sprintf("must be at most the last, %d", a.head.LastSeq))
	}
	if m.Preview != nil && m.Seq == a.head.LastSeq && !bytes.Equal(m.Preview, a.head.Preview) {
		a.head.Preview = m.Preview
		a.headChanged = true
	}
	if m.Retracted && a.tail.Last-m.Seq < persistence.TailMessages && !a.tail.Uncounted.Has(m.Seq) {
		a.tail.Uncounted.Set(m.Seq, true)
		a.tailChanged, a.headChanged, a.fewer = true, true, true
	}
	return nil
}

func (a *applier) hold(h *Hold) {
	if a.head.Held == h.On {
		return
	}
	a.head.Held = h.On
	a.headChanged = true
}
