package main

import (
	"fmt"
	"strings"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// conversationText is what `engine explain conversation` prints.
func conversationText(x *parleyv1.ExplainConversationResponse) string {
	t := &text{now: x.GetNow().AsTime()}
	fmt.Fprintf(&t.out, "%s, shard %d, at %s UTC\n\n", named(x.GetConversation()), x.GetShard(), clockTime(x.GetNow()))
	t.life(x)
	if h := x.GetHead(); h != nil {
		t.head(h)
	}
	t.policy(x.GetPolicy(), x.GetMemory() != nil)
	if x.GetHead() != nil {
		t.deadline(x.GetDeadline())
		t.due(x.GetDue(), x.GetDeadline().GetDeadline())
		t.index(x.GetIndex())
	}
	if x.GetMemory() == nil {
		t.line("memory", "not known: no server was asked")
	} else {
		t.memory(x.GetMemory())
		t.journal(x.GetJournal())
		t.reaper(x.GetReaper())
		t.changes(x.GetChanges())
	}
	if x.GetUser() != nil {
		t.user(x.GetUser(), x.GetHead())
	}
	return t.out.String()
}

func (t *text) life(x *parleyv1.ExplainConversationResponse) {
	switch life := x.GetLife(); life {
	case parleyv1.Life_LIFE_ALIVE:
		t.line("life", "%s", "alive")
	case parleyv1.Life_LIFE_BURIED:
		b := x.GetTombstone()
		t.line("life", "deleted: of generation %d, which reached message %d, a tombstone is left", b.GetGeneration(), b.GetLastSeq())
		if b.GetDeleted() == nil {
			t.line("", "the event of its deletion was not found, so it is not known until when")
			return
		}
		t.line("", "over since %s (%s),", clockTime(b.GetDeadline()), strings.ToLower(strings.TrimPrefix(b.GetReason().String(), "REASON_")))
		t.line("", "deleted at %s, %s later,", clockTime(b.GetDeleted()), b.GetDeleted().AsTime().Sub(b.GetDeadline().AsTime()))
		t.line("", "the tombstone is kept until %s", t.at(b.GetKeptUntil()))
	case parleyv1.Life_LIFE_UNSPECIFIED:
		t.line("life", "none: there is nothing in the store")
	default:
		t.line("life", "over since %s; %s", t.at(x.GetDeadline().GetDeadline()), stageText(life, x.GetReaper() != nil))
	}
}

// stageText says how far an end is.
func stageText(stage parleyv1.Life, asked bool) string {
	switch stage {
	case parleyv1.Life_LIFE_OVER:
		return whether(asked, "the reaper is not dealing with it yet", "what the reaper would make of it is not known: no server was asked")
	case parleyv1.Life_LIFE_JUDGING:
		return "the reaper has asked whether it is over"
	case parleyv1.Life_LIFE_MOVED:
		return "its due entry has moved, and the reaper looks again once the journal is written"
	case parleyv1.Life_LIFE_FLUSHING:
		return "judged over, and waiting for the journal to be written"
	case parleyv1.Life_LIFE_QUEUED:
		return "judged over, and in the reaper's queue"
	case parleyv1.Life_LIFE_DELETING:
		return "its rows are being deleted"
	case parleyv1.Life_LIFE_UNSPECIFIED, parleyv1.Life_LIFE_ALIVE, parleyv1.Life_LIFE_BURIED:
	}
	return strings.ToLower(strings.TrimPrefix(stage.String(), "LIFE_"))
}

func (t *text) memory(m *parleyv1.MemoryExplanation) {
	waiting := counted(m.GetQueued(), "proposal") + whether(m.GetQueued() == 1, " waits", " wait")
	if m.GetFailures() > 0 {
		waiting += fmt.Sprintf(", it failed %d times in a row", m.GetFailures())
	}
	switch m.GetState() {
	case parleyv1.MemoryState_MEMORY_PASSIVE:
		t.line("memory", "passive: its next proposal has its rows read")
	case parleyv1.MemoryState_MEMORY_PACKED:
		t.line("memory", "packed: its next proposal reads nothing from the store")
	case parleyv1.MemoryState_MEMORY_ACTIVATING:
		t.line("memory", "its rows are being read; %s", waiting)
	case parleyv1.MemoryState_MEMORY_ACTIVE:
		t.line("memory", "active; %s, last used %s", waiting, t.at(m.GetLastUsed()))
	case parleyv1.MemoryState_MEMORY_WAITING:
		t.line("memory", "active, waiting for memberships to be read; %s", waiting)
	case parleyv1.MemoryState_MEMORY_QUARANTINED:
		t.line("memory", "QUARANTINED until %s:", t.at(m.GetUntil()))
		t.line("", "%s", plain(m.GetReason()))
	case parleyv1.MemoryState_MEMORY_UNSPECIFIED:
		t.line("memory", "not known")
	}
}

func (t *text) journal(j *parleyv1.JournalExplanation) {
	if rows := j.GetHeadRows() + j.GetMemberRows() + j.GetEntryRows() + j.GetDueRows(); rows == 0 {
		t.line("journal", "nothing: all of it is in the store (the last batch that was written is %d)", j.GetFlushed())
	} else {
		t.line("journal", "%s not in the store yet, for %s: %d of the head, %d of users, %d of lists, %d of the due index; %d bytes", counted(rows, "row"),
			roughly(j.GetAge().AsDuration()), j.GetHeadRows(), j.GetMemberRows(), j.GetEntryRows(), j.GetDueRows(), j.GetBytes())
		t.line("", "up to batch %d, %s; the last that was written is %d", j.GetBatch(), whether(j.GetWriting(), "of which some is being written", "not being written yet"), j.GetFlushed())
		t.line("", "%s", whether(j.GetDurable(), "all of it is in the log: a crash takes none of it back", "a crash takes back what is not in the log"))
	}
	if j.GetBarred() != "" {
		t.line("", "NOTHING IS TAKEN: %s", plain(j.GetBarred()))
	}
	if j.GetError() != "" {
		t.line("", "the last attempt to write FAILED (%d so far): %s", j.GetFailed(), plain(j.GetError()))
	}
}

func (t *text) reaper(r *parleyv1.ReaperExplanation) {
	if len(r.GetGenerations()) == 0 {
		t.line("reaper", "not dealing with it; %s in its queue", counted(r.GetWaiting(), "generation"))
	}
	for i, g := range r.GetGenerations() {
		var more []string
		if g.GetAfter() > 0 {
			more = append(more, fmt.Sprintf("up to batch %d", g.GetAfter()))
		}
		if g.GetStage() == parleyv1.Life_LIFE_QUEUED || g.GetStage() == parleyv1.Life_LIFE_FLUSHING {
			more = append(more, fmt.Sprintf("%d before it", g.GetAhead()))
		}
		if g.GetTried() {
			more = append(more, "a batch with it failed")
		}
		if g.GetFailures() > 0 {
			more = append(more, fmt.Sprintf("it failed alone %d times", g.GetFailures()))
		}
		t.line(whether(i == 0, "reaper", ""), "generation %d, due %s: %s", g.GetGeneration(), clockTime(g.GetDue()),
			strings.Join(append([]string{stageText(g.GetStage(), true)}, more...), ", "))
	}
	if r.GetResumes() != nil {
		t.line("", "its next batch may begin %s", t.at(r.GetResumes()))
	}
	if r.GetError() != "" {
		t.line("", "its last attempt FAILED (%d batches in a row): %s", r.GetFailures(), plain(r.GetError()))
	}
}

func (t *text) changes(c *parleyv1.ChangesExplanation) {
	switch {
	case !c.GetRecording():
		t.line("changes", "not kept: nobody watches")
	case c.GetSince() == nil:
		t.line("changes", "none are kept yet")
	default:
		t.line("changes", "kept since %s; earlier ones are not known%s", t.at(c.GetSince()), whether(len(c.GetChanges()) == 0, ", and there was none since", ""))
	}
	for _, r := range c.GetChanges() {
		changed := r.GetChanged()
		of := "everybody"
		if users := changed.GetUsers(); len(users) > 0 {
			of = named(strings.Join(users, " "))
		}
		origin := ""
		if changed.GetOrigin() != "" {
			origin = ", from " + named(changed.GetOrigin())
		}
		t.line("", "%s %s, for %s, last seq %d%s", t.at(r.GetAt()), strings.Join(changed.GetKinds(), " "), of, changed.GetLastSeq(), origin)
	}
}

// plain is a message as a terminal may be sent it.
func plain(message string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, message)
}
