package actors_test

import (
	"errors"
	"testing"

	"github.com/parley-im/parley/actors/conversation"
)

// wantField fails the test unless err is a refusal of that kind which names the field.
func wantField(t *testing.T, err, kind error, field string) {
	t.Helper()
	refusal, ok := errors.AsType[*conversation.Error](err)
	if !ok || !errors.Is(err, kind) || refusal.Field != field {
		t.Errorf("got %v, want %v of field %q", err, kind, field)
	}
}
