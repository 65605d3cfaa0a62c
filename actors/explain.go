package actors

import (
	"context"
	"time"

	"github.com/parley-im/parley/persistence"
)

// ListExplanation says what a page of a list took to find, and where it was looked for.
type ListExplanation struct {
	Page     ListPage
	Took     time.Duration // by the engine's clock
	LookedUp []LookedUp    // the conversations of which the rows were read, in the order in which they were; at most MaxExplained
	LeftOut  int           // how many more were
}

// MaxExplained is how many conversations a [ListExplanation] names at most.
const MaxExplained = 10_000

// LookedUp is a conversation that was looked up for a page of a list.
type LookedUp struct {
	Conversation string
	Entry        persistence.EntryKind // what led to it: EntryPinned, EntryMerged or EntryActive; of several, the first of these
	At           time.Time             // of EntryActive: the moment that the entry stands under, at most an hour before the last activity; else zero
	Fate         Fate
}

// Fate is what became of a conversation that was looked up for a page of a list. The numbers are those of the wire.
type Fate uint8

// The fates.
const (
	FateNone     Fate = iota
	FateShown         // it is on the page
	FateLater         // it comes behind the page
	FateEarlier       // it comes before the page
	FateFiltered      // it is not in this list: hidden, or not hidden where those are asked for, or let go by a filter
	FateGone          // it is over, or the user left it
)

// ExplainConversations reads a page as [Engine.Conversations] does, with the same errors and at the same cost, and says how it was found. It is for an operator who asks why a
// list is slow: neither [Engine.Stats] nor Observer.Read count it.
func (e *Engine) ExplainConversations(ctx context.Context, q ListQuery) (ListExplanation, error) {
	l, err := e.listing(&q)
	if err != nil {
		return ListExplanation{}, err
	}
	l.trace = &listTrace{}
	began := e.clock.now()
	page, err := l.page(ctx)
	if err != nil {
		return ListExplanation{}, err
	}
	took := e.clock.now().Sub(began)
	return ListExplanation{Page: page, Took: took, LookedUp: l.trace.judged(&page), LeftOut: l.trace.leftOut}, nil
}

// listTrace remembers what a listing looked up.
type listTrace struct {
	lookedUp []LookedUp
	leftOut  int
}

func (t *listTrace) note(l LookedUp) {
	switch {
	case t == nil:
	case len(t.lookedUp) == MaxExplained:
		t.leftOut++
	default:
		t.lookedUp = append(t.lookedUp, l)
	}
}

// judged returns what was noted, now that it is known which conversations the page has.
func (t *listTrace) judged(page *ListPage) []LookedUp {
	shown := make(map[string]bool, len(page.Conversations))
	for i := range page.Conversations {
		shown[page.Conversations[i].Conversation] = true
	}
	for i := range t.lookedUp {
		if shown[t.lookedUp[i].Conversation] {
			t.lookedUp[i].Fate = FateShown
		}
	}
	return t.lookedUp
}
