package actors_test

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// What the checker is for: it must tell a history that has an order from one that has none.
func TestTheCheckerTellsStaleAnswersFromConcurrentOnes(t *testing.T) {
	post := request{conversation: "group:42", verb: "post", user: 0, seq: 1}
	get := request{conversation: "group:42", verb: "get", user: readers}
	read := request{conversation: "group:42", verb: "read", user: 0, seq: 3}
	posted := answer{found: true, last: 1, changed: true}
	shown := answer{found: true, last: 1, members: 1}
	call := func(q request, a answer, from, to int64) porcupine.Operation {
		return porcupine.Operation{Input: q, Output: a, Call: from, Return: to}
	}
	for _, test := range []struct {
		name    string
		history []porcupine.Operation
		want    bool
	}{
		{"one after the other", []porcupine.Operation{call(post, posted, 1, 2), call(get, shown, 3, 4)}, true},
		{"nothing is shown after the answer to a post", []porcupine.Operation{call(post, posted, 1, 2), call(get, answer{}, 3, 4)}, false},
		{"nothing is shown while a post is under way", []porcupine.Operation{call(post, posted, 1, 4), call(get, answer{}, 2, 3)}, true},
		{"a message is shown, and then no more", []porcupine.Operation{call(post, posted, 1, 9), call(get, shown, 2, 3), call(get, answer{}, 4, 5)}, false},
		{"a post whose caller gave up is shown later", []porcupine.Operation{
			call(post, answer{unknown: true}, 1, never), call(get, answer{}, 2, 3), call(get, shown, 4, 5),
		}, true},
		{"a post whose caller gave up is never shown", []porcupine.Operation{call(post, answer{unknown: true}, 1, never), call(get, answer{}, 2, 3)}, true},
		{"a message is applied twice", []porcupine.Operation{call(post, posted, 1, 2), call(post, posted, 3, 4)}, false},
		{"a read before there is a conversation succeeds", []porcupine.Operation{call(read, shown, 1, 2), call(post, posted, 3, 4)}, false},
		{"another conversation's post is not waited for", []porcupine.Operation{
			call(post, posted, 1, 2), call(request{conversation: "group:43", verb: "get", user: readers}, answer{}, 3, 4),
		}, true},
	} {
		if got := porcupine.CheckOperations(linear(), test.history); got != test.want {
			t.Errorf("%s: has an order: got %v, want %v", test.name, got, test.want)
		}
	}
}
