package actors_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// fact is what happened to a conversation, for the report of a difference.
type fact struct {
	at       time.Time
	proposal *actors.Proposal // nil: a note
	reply    actors.Reply
	note     string
}

func (c *campaign) note(what string) {
	for _, name := range c.names {
		c.remember(name, fact{at: time.Now(), note: what})
	}
}

func (c *campaign) remember(name string, f fact) {
	c.trail[name] = append(c.trail[name], f)
	c.trail[name] = c.trail[name][max(0, len(c.trail[name])-60):]
}

// differ reports a difference with what happened to the conversation before.
func (c *campaign) differ(name, format string, args ...any) {
	c.t.Helper()
	var b strings.Builder
	for _, f := range c.trail[name] {
		fmt.Fprintf(&b, "  %s ", f.at.Format("05.000000"))
		switch p := f.proposal; {
		case p == nil:
			b.WriteString(f.note)
		case f.reply.Err != nil:
			fmt.Fprintf(&b, "%s %s, generation %d, revision %d: %v", p.Change.Kind(), spelt(p.Change), p.IfGeneration, p.Revision, f.reply.Err)
		default:
			fmt.Fprintf(&b, "%s %s, generation %d, revision %d: generation %d, version %d, changed %v",
				p.Change.Kind(), spelt(p.Change), p.IfGeneration, p.Revision, f.reply.Generation, f.reply.Version, f.reply.Changed)
		}
		b.WriteByte('\n')
	}
	c.t.Fatalf("%s, after %d operations: %s\nwhat happened to it at last:\n%s", name, c.done, fmt.Sprintf(format, args...), b.String())
}

// spelt is a change in one line, without the fields that are not set.
func spelt(change conversation.Change) string {
	fields := reflect.ValueOf(change).Elem()
	var b strings.Builder
	for i := range fields.NumField() {
		f := fields.Field(i)
		if f.IsZero() {
			continue
		}
		v := reflect.Indirect(f).Interface()
		if text, ok := v.([]byte); ok {
			v = string(text)
		}
		fmt.Fprintf(&b, "%s:%v ", fields.Type().Field(i).Name, v)
	}
	return strings.TrimSpace(b.String())
}

// outcome is what came of a proposal, in a word or two.
func outcome(p *actors.Proposal, r *actors.Reply) string {
	refused, ok := errors.AsType[*conversation.Error](r.Err)
	switch {
	case ok:
		return p.Change.Kind() + " " + refused.Kind.Error()
	case r.Changed:
		return p.Change.Kind() + " changed"
	}
	return p.Change.Kind() + " repeated"
}
