package actors

import (
	"fmt"
	"sync/atomic"

	"github.com/parley-im/parley/actors/conversation"
)

// Result is what became of a proposal: its change was made, or was there already, or it was refused for one of the reasons that package conversation names.
type Result uint8

// The results.
const (
	// ResultChanged: the change was made.
	ResultChanged Result = iota
	// ResultNothing: it was a repetition.
	ResultNothing
	ResultInvalid
	ResultNotFound
	ResultOverloaded
	ResultConflict
	ResultHeld
	ResultQuarantined
	ResultUnavailable
	ResultMembersRequired
)

const results = int(ResultMembersRequired) + 1

// String returns the result's name in logs and metrics.
func (r Result) String() string {
	switch r {
	case ResultChanged:
		return "changed"
	case ResultNothing:
		return "nothing"
	case ResultInvalid:
		return "invalid"
	case ResultNotFound:
		return "not_found"
	case ResultOverloaded:
		return "overloaded"
	case ResultConflict:
		return "conflict"
	case ResultHeld:
		return "held"
	case ResultQuarantined:
		return "quarantined"
	case ResultUnavailable:
		return "unavailable"
	case ResultMembersRequired:
		return "members_required"
	}
	return fmt.Sprintf("result(%d)", uint8(r))
}

// resultOf returns what a refusal is counted as.
func resultOf(refusal *conversation.Error) Result {
	switch refusal.Kind {
	case conversation.ErrInvalid: //nolint:errorlint // it is one of the sentinels, not what wraps one
		return ResultInvalid
	case conversation.ErrNotFound:
		return ResultNotFound
	case conversation.ErrOverloaded:
		return ResultOverloaded
	case conversation.ErrConflict:
		return ResultConflict
	case conversation.ErrHeld:
		return ResultHeld
	case conversation.ErrQuarantined:
		return ResultQuarantined
	case conversation.ErrMembersRequired:
		return ResultMembersRequired
	}
	return ResultUnavailable
}

// ResultCount says how many proposals of an ack level had a result.
type ResultCount struct {
	Ack    Ack // AckApplied or AckCommitted; what asked for neither is with the latter, which is the default
	Result Result
	Count  uint64
}

// tally counts proposals by what became of them and by the ack level that they asked for.
type tally [2][results]atomic.Uint64

func (t *tally) count(ack Ack, r Result) { t[level(ack)][r].Add(1) }

// level returns the place of an ack level.
func level(ack Ack) int {
	if ack == AckApplied {
		return 0
	}
	return 1
}

// total returns how many there were.
func (t *tally) total() (n uint64) {
	for ack := range t {
		for result := range t[ack] {
			n += t[ack][result].Load()
		}
	}
	return n
}

// all returns every count, also those that are 0.
func (t *tally) all() []ResultCount {
	counts := make([]ResultCount, 0, len(t)*results)
	for i, ack := range [...]Ack{AckApplied, AckCommitted} {
		for r := range t[i] {
			counts = append(counts, ResultCount{Ack: ack, Result: Result(r), Count: t[i][r].Load()})
		}
	}
	return counts
}
