package badgerstore

import (
	"fmt"
	"testing"

	"github.com/parley-im/parley/persistence"
)

func decoded(r *record) (batch persistence.Batch, err error) {
	var into scratch
	batch.Clock, err = r.decode(&into, func(persistence.Shard) bool { return true })
	batch.Groups = into.groups
	return batch, err
}

func TestRecordsAreReadAsTheyWereWritten(t *testing.T) {
	want := persistence.Batch{Clock: 77, Groups: []persistence.Group{
		{Shard: 3, Epoch: 9, Puts: []persistence.Put{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("b"), Value: []byte{}, IfPresent: true}}, Deletes: []persistence.Delete{{Key: []byte("c")}}},
		{Shard: 255, Epoch: 1, Puts: []persistence.Put{}},
	}}
	b := appendRecord(nil, &want)
	of := salt{1, 2, 3}
	seal(b, of, 12, 7)
	r, length, ok := readRecord(b, of)
	got, err := decoded(&r)
	if !ok || length != len(b) || r.position != 12 || r.before != 7 || err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, %+v, %v; want %+v", r, got, err, want)
	}
	if _, _, ok := readRecord(b, salt{1, 2, 4}); ok {
		t.Error("a record of another log is read")
	}
}

// FuzzReadRecord shows that what is found in a file is read, or not, and nothing else.
func FuzzReadRecord(f *testing.F) {
	b := appendRecord(nil, &persistence.Batch{Groups: []persistence.Group{{Puts: []persistence.Put{{Key: []byte("a"), Value: []byte("1")}}}}})
	seal(b, salt{1}, 1, 0)
	f.Add(b)
	f.Fuzz(func(_ *testing.T, b []byte) {
		r := record{body: b}
		_, _ = decoded(&r)
		_, _, _ = readRecord(b, salt{1})
	})
}
