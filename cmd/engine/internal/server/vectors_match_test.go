package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

// match compares the fields that a step gives with those of a message. A symbol that is new gets its value there.
func (r *runner) match(t *testing.T, what string, fields json.RawMessage, message proto.Message) {
	t.Helper()
	if fields == nil {
		return
	}
	whole := r.plain(t, message)
	want, err := decodeJSON(fields)
	if err == nil {
		want, err = fill(r.bind(t, want, whole), func(name string) (string, error) { return "", fmt.Errorf("%s stands for nothing there", name) })
	}
	var got any
	if err == nil {
		got, err = only(want, whole)
	}
	if err == nil {
		want, err = normal(want, message)
	}
	if err != nil {
		t.Fatalf("%s: %v", r.at, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s, the %s (-want +got):\n%s", r.at, what, diff)
	}
}

// bind replaces symbols by what they stand for: from their first use on, by what is seen at their place. Symbols that are not the same stand for
// values that are not the same.
func (r *runner) bind(t *testing.T, want, seen any) any {
	t.Helper()
	switch w := want.(type) {
	case string:
		value, ok := seen.(string)
		if !strings.HasPrefix(w, "$") || !ok {
			return want
		}
		if _, bound := r.symbols[w]; !bound {
			for other, taken := range r.symbols {
				if taken == value {
					t.Errorf("%s: %s is %s, which is %s already", r.at, w, value, other)
				}
			}
			r.symbols[w] = value
		}
		return r.symbols[w]
	case map[string]any:
		s, _ := seen.(map[string]any)
		bound := make(map[string]any, len(w))
		for _, name := range slices.Sorted(maps.Keys(w)) {
			bound[name] = r.bind(t, w[name], s[name])
		}
		return bound
	case []any:
		s, _ := seen.([]any)
		bound := make([]any, len(w))
		for i := range w {
			var at any
			if i < len(s) {
				at = s[i]
			}
			bound[i] = r.bind(t, w[i], at)
		}
		return bound
	}
	return want
}

func (r *runner) plain(t *testing.T, message proto.Message) any {
	t.Helper()
	value, err := plainJSON(message)
	if err != nil {
		t.Fatalf("%s: %v", r.at, err)
	}
	return value
}
