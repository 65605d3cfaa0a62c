package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

const (
	textWidth = 100
	textLabel = 12
)

// text is lines with a label before them, which fit a width.
type text struct {
	out strings.Builder
	now time.Time
}

// line adds a line, or several where it does not fit. A label "" goes on under the one before.
func (t *text) line(label, format string, args ...any) {
	var words []string
	for word := range strings.SplitSeq(fmt.Sprintf(format, args...), " ") {
		letters := []rune(word)
		for len(letters) > textWidth-textLabel {
			words, letters = append(words, string(letters[:textWidth-textLabel])), letters[textWidth-textLabel:]
		}
		words = append(words, string(letters))
	}
	line := fmt.Sprintf("%-*s%s", textLabel, label, words[0])
	for _, word := range words[1:] {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
			t.out.WriteString(strings.TrimRight(line, " ") + "\n")
			line = strings.Repeat(" ", textLabel) + word
			continue
		}
		line += " " + word
	}
	t.out.WriteString(strings.TrimRight(line, " ") + "\n")
}

// at is a time, and how far away that is.
func (t *text) at(s *timestamppb.Timestamp) string {
	if s == nil {
		return "never"
	}
	switch d := s.AsTime().Sub(t.now); {
	case d > 0:
		return clockTime(s) + " (in " + roughly(d) + ")"
	case d < 0:
		return clockTime(s) + " (" + roughly(-d) + " ago)"
	}
	return clockTime(s) + " (now)"
}

func clockTime(s *timestamppb.Timestamp) string { return s.AsTime().Format("2006-01-02 15:04:05.000") }

func minuteTime(s *timestamppb.Timestamp) string { return s.AsTime().Format("2006-01-02 15:04") }

// roughly leaves out what is far below a duration's size.
func roughly(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	case d >= time.Minute:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// lasting is a duration without what is zero of it.
func lasting(d *durationpb.Duration) string {
	s := d.AsDuration().String()
	for _, zero := range [...]string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// named is a name as there is room for it.
func named(name string) string { return printable(name, explainName) }

// counted is a number of things.
func counted(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func whether(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func (t *text) policy(p *parleyv1.PolicyExplanation, asked bool) {
	var rules []string
	for _, rule := range []struct {
		name  string
		value *durationpb.Duration
	}{
		{"expire_after", p.GetExpireAfter()},
		{"expire_idle", p.GetExpireIdle()},
		{"expire_age", p.GetExpireAge()},
		{"expire_jitter", p.GetExpireJitter()},
	} {
		if rule.value != nil {
			rules = append(rules, rule.name+" "+lasting(rule.value))
		}
	}
	if p.GetKeepPinned() {
		rules = append(rules, "keep_pinned")
	}
	if p.GetKeepUnread() {
		rules = append(rules, "keep_unread")
	}
	if p.GetMembersRequired() {
		rules = append(rules, "new_generation members_required")
	}
	if len(rules) == 0 {
		rules = append(rules, "nothing expires")
	}
	namespace := named(p.GetNamespace())
	t.line("policy", "%s: %s%s", whether(p.GetNamed(), "of the namespace "+namespace, "the default, as none is set for the namespace "+namespace), strings.Join(rules, ", "),
		whether(asked, "", " (by --config and --expire-after)"))
}

func (t *text) head(h *parleyv1.HeadExplanation) {
	t.line("generation", "%d: number %d of epoch %d; %s", h.GetGeneration(), h.GetNumber(), h.GetEpoch(),
		whether(h.GetFloor() == 0, "none before it is known to have had messages", fmt.Sprintf("those before it reached message %d", h.GetFloor())))
	sender := "of an unknown sender"
	if h.GetLastSender() != "" {
		sender = "by " + named(h.GetLastSender())
	}
	t.line("head", "last seq %d %s, version %d, %s, %s, %s, %s", h.GetLastSeq(), sender, h.GetVersion(), counted(h.GetMembers(), "member"), counted(h.GetPins(), "pin"),
		whether(h.GetLarge(), "large", "small"), whether(h.GetHeld(), "held", "not held"))
	t.line("activity", "last post that was not silent %s,", t.at(h.GetLastPost()))
	t.line("", "last change that members are shown %s,", t.at(h.GetLastChange()))
	t.line("", "begun %s", t.at(h.GetBorn()))
}

func (t *text) deadline(d *parleyv1.DeadlineExplanation) {
	t.line("deadline", "%s: %s", t.at(d.GetDeadline()), originText(d))
	for _, s := range d.GetSteps() {
		rule := [...]string{"?", "last post", "last change", "beginning"}[min(max(int(s.GetRule()), 0), 3)]
		t.line("", "%-12s%s + %s = %s%s%s", rule, clockTime(s.GetFrom()), lasting(s.GetAfter()), clockTime(s.GetAt()),
			whether(s.GetAtLeast(), ", or later", ""), whether(s.GetRule() == d.GetFirst(), "  <- first", ""))
	}
	if d.GetJitter() != nil {
		t.line("", "%-12s%s + %s = %s", "jitter", "the first", d.GetJitter().AsDuration().Round(time.Millisecond), clockTime(d.GetAsked()))
	}
}

func originText(d *parleyv1.DeadlineExplanation) string {
	kept := ""
	switch {
	case d.GetHeld():
		kept = "it is held"
	case d.GetPinned():
		kept = "it is pinned"
	case d.GetUnread() && d.GetWitness() != "":
		kept = named(d.GetWitness()) + " has messages unread"
	case d.GetUnread():
		kept = "it is kept while a member has messages unread"
	}
	switch d.GetOrigin() {
	case parleyv1.DeadlineOrigin_DEADLINE_ORIGIN_POLICY:
		switch {
		case kept != "" && d.GetAsked() != nil:
			return kept + ", else it would be over at " + clockTime(d.GetAsked())
		case kept != "":
			return kept
		case len(d.GetSteps()) == 0:
			return "the policy asks for no end"
		}
		return "the earliest that the policy asks for"
	case parleyv1.DeadlineOrigin_DEADLINE_ORIGIN_DELETED:
		return "it was deleted then"
	case parleyv1.DeadlineOrigin_DEADLINE_ORIGIN_CUT:
		return "the time of the last change, at which the time that the policy asks for was over"
	case parleyv1.DeadlineOrigin_DEADLINE_ORIGIN_EARLIER:
		return "of a policy that was in force before; the present one applies from the next change on"
	case parleyv1.DeadlineOrigin_DEADLINE_ORIGIN_UNSPECIFIED:
	}
	return "for a reason that is not known here"
}

func (t *text) due(d *parleyv1.DueExplanation, deadline *timestamppb.Timestamp) {
	if d.GetAt() == nil {
		t.line("due entry", "none")
	} else {
		where := whether(d.GetPresent(), "in the index", "MISSING from the index")
		if d.GetPending() && d.GetPresent() {
			where = "on its way into the index"
		}
		early := ""
		if d.GetEarly() != nil {
			early = fmt.Sprintf(", %s before the deadline: it moves there when it comes due", roughly(d.GetEarly().AsDuration()))
		}
		if deadline == nil {
			early = "; without a deadline it goes when it comes due"
		}
		t.line("due entry", "%s, %s%s", clockTime(d.GetAt()), where, early)
	}
	if d.GetLooksAt() != nil {
		t.line("", "the reaper looks at the shard's index next at %s", t.at(d.GetLooksAt()))
	}
}

func (t *text) index(i *parleyv1.IndexExplanation) {
	switch {
	case i.GetLarge():
		t.line("lists", "merged entries, which do not move: it has, or had, more than 64 members")
	case i.GetListed() == nil:
		t.line("lists", "no entries")
	default:
		t.line("lists", "active entries at %s, moved by the first post that is sent from %s on;", minuteTime(i.GetListed()), minuteTime(i.GetListedMoves()))
		noticed := "no noticed entries, made"
		if i.GetNoticed() != nil {
			noticed = "noticed entries at " + minuteTime(i.GetNoticed()) + ", moved"
		}
		t.line("", "%s by the first other change from %s on", noticed, minuteTime(i.GetNoticedMoves()))
	}
}
