package journal

import (
	"bytes"

	"github.com/parley-im/parley/actors/conversation"
)

// rows are the last writes of rows, in the order in which those were first written. Most conversations have a few in a batch, which are found sooner by looking than by hashing.
type rows struct {
	list   []conversation.Write
	places map[string]int // in list, by key; where there are many
}

// fewRows is how many are looked through one by one.
const fewRows = 12

// find returns the place of a row, -1 where it is not there.
func (r *rows) find(key []byte) int {
	if r.places != nil {
		if i, ok := r.places[string(key)]; ok {
			return i
		}
		return -1
	}
	for i := range r.list {
		if bytes.Equal(r.list[i].Key, key) {
			return i
		}
	}
	return -1
}

// get returns the last write of a row.
func (r *rows) get(key []byte) (w conversation.Write, ok bool) {
	if i := r.find(key); i >= 0 {
		return r.list[i], true
	}
	return w, false
}

// add takes in the first write of a row, and returns its place.
func (r *rows) add(w conversation.Write) int {
	r.list = append(r.list, w)
	last := len(r.list) - 1
	switch {
	case r.places != nil:
		r.places[string(w.Key)] = last
	case len(r.list) > fewRows:
		r.places = make(map[string]int, 2*len(r.list))
		for i := range r.list {
			r.places[string(r.list[i].Key)] = i
		}
	}
	return last
}
