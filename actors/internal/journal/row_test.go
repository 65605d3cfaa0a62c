package journal_test

import (
	"fmt"
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// everything is the range of all keys.
var everything = persistence.Range{Start: []byte{0}, End: []byte{0xff}}

func head(name, value string) conversation.Write {
	return conversation.Write{Key: persistence.HeadKey(name), Value: []byte(value)}
}

func tail(name, value string) conversation.Write {
	return conversation.Write{Key: persistence.TailKey(name), Value: []byte(value)}
}

func membership(user, name, value string) conversation.Write {
	return conversation.Write{Key: persistence.MembershipKey(user, name), Value: []byte(value), User: user}
}

func entry(user string, at persistence.Instant, name string) conversation.Write {
	return conversation.Write{Key: persistence.EntryKey(user, persistence.EntryActive, at, name), Value: []byte("e"), User: user}
}

func due(name string, at persistence.Instant, value string) conversation.Write {
	return conversation.Write{Key: persistence.DueKey(name, at, 1), Value: []byte(value)}
}

func deleted(w conversation.Write) conversation.Write {
	return conversation.Write{Key: w.Key, Delete: true, User: w.User}
}

func ifPresent(w conversation.Write) conversation.Write {
	w.IfPresent = true
	return w
}

func line(w conversation.Write) string {
	switch {
	case w.Delete:
		return fmt.Sprintf("delete %q", w.Key)
	case w.IfPresent:
		return fmt.Sprintf("put %q = %q if present", w.Key, w.Value)
	}
	return fmt.Sprintf("put %q = %q", w.Key, w.Value)
}

func lines(writes ...conversation.Write) []string {
	out := []string{}
	for _, w := range writes {
		out = append(out, line(w))
	}
	return slices.Sorted(slices.Values(out))
}

// names returns n names of conversations.
func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("group:%d", i)
	}
	return out
}
