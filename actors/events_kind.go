package actors

import "github.com/parley-im/parley/actors/conversation"

// kindNames are the kinds of change, in the order of the wire, and the engine's own: a set of them is a number with a bit for each.
func kindNames() [12]string {
	return [...]string{"post", "amend", "join", "leave", "read", "deliver", "mark_unread", "clear", "set", "hold", "delete", "forget"}
}

// kindOf returns the set of that one kind.
func kindOf(change conversation.Change) uint16 {
	kind := change.Kind()
	for i, name := range kindNames() {
		if name == kind {
			return 1 << i
		}
	}
	return 0 // it would have been refused
}

func kindsIn(set uint16) []string {
	var kinds []string
	for i, name := range kindNames() {
		if set&(1<<i) != 0 {
			kinds = append(kinds, name)
		}
	}
	return kinds
}
