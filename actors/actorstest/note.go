package actorstest

import (
	"fmt"
	"time"

	"github.com/parley-im/parley/actors"
)

// Kind is what a [Note] is about. There is one for each func of [actors.Observer] but Proposed and Read: tests propose and read all the time.
type Kind string

// The kinds.
const (
	KindExpired     Kind = "expired"
	KindReapBegin   Kind = "reap begin"
	KindReapEnd     Kind = "reap end"
	KindForgetBegin Kind = "forget begin"
	KindForgetEnd   Kind = "forget end"
	KindPaced       Kind = "paced"
	KindBounded     Kind = "bounded"
	KindFlushBegin  Kind = "flush begin"
	KindFlushEnd    Kind = "flush end"
	KindFailed      Kind = "failed"
	KindUnanswered  Kind = "unanswered"
	KindStopBegin   Kind = "stop begin"
	KindStopEnd     Kind = "stop end"
)

// Note is one thing that an engine told its observer.
type Note struct {
	At   time.Time // the bubble's clock
	Kind Kind
	// Info is what was told: an [actors.ExpiredInfo], [actors.ReapInfo], [actors.PaceInfo], [actors.ForgetInfo], [actors.BoundedInfo], [actors.FlushInfo], [actors.FailedInfo],
	// [actors.UnansweredInfo] or [actors.StopInfo].
	Info any
}

// Conversation returns which conversation the note is about; "" where it is not about one.
func (n Note) Conversation() string {
	switch i := n.Info.(type) {
	case actors.ExpiredInfo:
		return i.Conversation
	case actors.FailedInfo:
		return i.Conversation
	case actors.UnansweredInfo:
		return i.Conversation
	}
	return ""
}

// Err returns the failure that the note tells of; nil where it tells of none.
func (n Note) Err() error {
	switch i := n.Info.(type) {
	case actors.ReapInfo:
		return i.Err
	case actors.ForgetInfo:
		return i.Err
	case actors.FlushInfo:
		return i.Err
	case actors.UnansweredInfo:
		return i.Err
	case actors.StopInfo:
		return i.Err
	case actors.FailedInfo:
		if err, ok := i.Reason.(error); ok {
			return err
		}
		return fmt.Errorf("%s: %v", i.What, i.Reason)
	}
	return nil
}

// String returns the note as a line of a log.
func (n Note) String() string {
	line := n.At.Format("2006-01-02 15:04:05.000 ") + string(n.Kind)
	switch i := n.Info.(type) {
	case actors.ExpiredInfo:
		line += fmt.Sprintf(" %s: generation %d, %v, last seq %d, %v late", i.Conversation, i.Generation, i.Reason, i.LastSeq, i.Lateness)
	case actors.ReapInfo:
		line += fmt.Sprintf(": %d generations, %d rows, attempt %d", i.Generations, i.Rows, i.Attempt)
	case actors.ForgetInfo:
		line += fmt.Sprintf(" %s: %d conversations, %d rows, %d remain, done %v, attempt %d", i.User, i.Conversations, i.Rows, i.Remaining, i.Done, i.Attempt)
	case actors.PaceInfo:
		line += fmt.Sprintf(": %s, from %d to %d rows a second", i.Turn, i.Before, i.RowsPerSecond)
	case actors.BoundedInfo:
		line += fmt.Sprintf(": from %d to %d conversations, %d of %d bytes used", i.Before, i.Bound, i.Used, i.Limit)
	case actors.FlushInfo:
		line += fmt.Sprintf(": %d conversations, %d rows, attempt %d", i.Conversations, i.Rows, i.Attempt)
	case actors.FailedInfo:
		line += " " + i.Conversation
	case actors.UnansweredInfo:
		line += fmt.Sprintf(" %s: %s", i.Conversation, i.Kind)
	case actors.StopInfo:
		line += fmt.Sprintf(": %d active, %d queued", i.Active, i.Queued)
	}
	if err := n.Err(); err != nil {
		line += ": " + err.Error()
	}
	return line
}
