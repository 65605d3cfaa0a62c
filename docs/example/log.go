package main

import (
	"slices"
	"sync"
)

// messageLog is what the host owns: messages, and their numbers, which are dense and from 1 in each conversation. A real one is a database.
type messageLog struct {
	mu       sync.Mutex
	messages map[string][]message
}

type message struct {
	seq          uint64
	sender, text string
}

func newMessageLog() *messageLog { return &messageLog{messages: map[string][]message{}} }

// store keeps a message and returns its number.
func (l *messageLog) store(conversation, sender, text string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	seq := uint64(len(l.messages[conversation])) + 1
	l.messages[conversation] = append(l.messages[conversation], message{seq: seq, sender: sender, text: text})
	return seq
}

// between returns the messages after one number, up to another.
func (l *messageLog) between(conversation string, after, upTo uint64) []message {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.messages[conversation]
	upTo = min(upTo, uint64(len(all)))
	return slices.Clone(all[min(after, upTo):upTo])
}

// last returns the number of each conversation's last message.
func (l *messageLog) last() map[string]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := make(map[string]uint64, len(l.messages))
	for name, all := range l.messages {
		last[name] = uint64(len(all))
	}
	return last
}
