package replay

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/persistence"
)

// namespace is that of all conversations of a replay.
const namespace = "trace:"

func conversationName(number uint32) string {
	return namespace + strconv.FormatUint(uint64(number), 10)
}

// conversationNumber undoes conversationName; a name of another form gives 0, which no trace has.
func conversationNumber(name string) uint32 {
	digits, ok := strings.CutPrefix(name, namespace)
	number, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil {
		return 0
	}
	return uint32(number)
}

func userName(number uint32) string { return "u" + strconv.FormatUint(uint64(number), 10) }

// ended is a generation that the reaper deleted.
type ended struct {
	conversation string
	generation   uint64
	reason       persistence.Reason
	lastSeq      uint64
	deadline     time.Time
	lateness     time.Duration
}

// endings collects what the reaper deletes.
type endings struct {
	mu  sync.Mutex
	all []ended
}

func (e *endings) expired(info actors.ExpiredInfo) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ended{
		conversation: info.Conversation,
		generation:   info.Generation,
		reason:       info.Reason,
		lastSeq:      info.LastSeq,
		deadline:     info.Deadline,
		lateness:     info.Lateness,
	})
}

// list returns what was collected so far.
func (e *endings) list() []ended {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]ended(nil), e.all...)
}
