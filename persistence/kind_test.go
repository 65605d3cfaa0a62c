package persistence_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/parley-im/parley/persistence"
)

func TestEachKindHasANameOfItsOwn(t *testing.T) {
	names := map[string]persistence.Kind{}
	for _, k := range persistence.Kinds() {
		name := k.String()
		if other, taken := names[name]; taken || strings.Contains(name, "(") {
			t.Errorf("kind %d is called %q, as is %d", k, name, other)
		}
		names[name] = k
	}
	if next := persistence.KindStore + 1; !strings.Contains(next.String(), "(") {
		t.Errorf("%v is a kind, but not among all kinds", next)
	}
}

func TestAllRowsAreInAllRows(t *testing.T) {
	all := persistence.AllRows()
	for _, key := range [][]byte{
		persistence.HeadKey("group:1"), persistence.MembershipKey("ann", "group:1"), persistence.RemovalKey("ann", 1, "group:1"), persistence.OwnerKey(255),
		persistence.StoreKey("clock"), persistence.EventKey(255, 1), persistence.AllEntries().Start,
	} {
		if bytes.Compare(key, all.Start) < 0 || bytes.Compare(key, all.End) >= 0 {
			t.Errorf("%q is not in %q", key, all)
		}
	}
}
