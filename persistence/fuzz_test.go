package persistence_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
)

// fuzzDecoder holds a decoder to its word on whatever bytes there may be: it returns, with one of the two errors or with a row that reads the
// same once it was written again.
func fuzzDecoder(f *testing.F, names ...string) {
	f.Helper()
	for name, value := range readGolden(f, "rows.hex") {
		f.Add(value)
		if name != "due/judged-from-head" {
			f.Add(value[:len(value)-1])
		}
	}
	f.Add([]byte{2})
	f.Add(append([]byte{1}, bytes.Repeat([]byte{0xff}, 40)...))
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, name := range names {
			c := codecs[name]
			row, err := c.decode(value)
			if err != nil {
				if !errors.Is(err, persistence.ErrValue) && !errors.Is(err, persistence.ErrNewerFormat) {
					t.Fatalf("%s: %v is neither ErrValue nor ErrNewerFormat", name, err)
				}
				continue
			}
			if head, ok := row.(*persistence.Head); ok && head == nil || row == (persistence.Tombstone{}) {
				continue // the same decoder read the other of its two rows
			}
			again, err := c.decode(c.encode(row))
			if err != nil {
				t.Fatalf("%s: what was read and written again: %v", name, err)
			}
			if diff := cmp.Diff(row, again, sameRow); diff != "" {
				t.Fatalf("%s: what was read and written again differs (-first +second):\n%s", name, diff)
			}
		}
	})
}

func FuzzDecodeHead(f *testing.F)       { fuzzDecoder(f, "head", "tombstone") }
func FuzzDecodeTail(f *testing.F)       { fuzzDecoder(f, "tail") }
func FuzzDecodeMembership(f *testing.F) { fuzzDecoder(f, "membership") }
func FuzzDecodeMember(f *testing.F)     { fuzzDecoder(f, "member") }
func FuzzDecodeDue(f *testing.F)        { fuzzDecoder(f, "due") }
func FuzzDecodeSweep(f *testing.F)      { fuzzDecoder(f, "sweep") }
func FuzzDecodeEvent(f *testing.F)      { fuzzDecoder(f, "event") }
func FuzzDecodeRemoval(f *testing.F)    { fuzzDecoder(f, "removal") }
func FuzzDecodeOwner(f *testing.F)      { fuzzDecoder(f, "owner") }
func FuzzDecodeRoster(f *testing.F)     { fuzzDecoder(f, "roster") }
func FuzzDecodeOrder(f *testing.F)      { fuzzDecoder(f, "order") }
func FuzzDecodeLineage(f *testing.F)    { fuzzDecoder(f, "lineage") }

func FuzzParseKey(f *testing.F) {
	for _, key := range goldenKeys {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		for kind, parse := range parsers {
			switch err := parse(key); {
			case err == nil && persistence.KindOf(key) != kind:
				t.Fatalf("the parser of kind %d reads %q, which is of kind %d", kind, key, persistence.KindOf(key))
			case err != nil && !errors.Is(err, persistence.ErrKey):
				t.Fatalf("%q: %v is not ErrKey", key, err)
			}
		}
		if conversation, err := persistence.ParseHeadKey(key); err == nil && !bytes.Equal(key[4:], persistence.HeadKey(conversation)[4:]) {
			t.Fatalf("%q is read as the head of %q", key, conversation)
		}
		if user, kind, at, conversation, err := persistence.ParseEntryKey(key); err == nil && !bytes.Equal(key, persistence.EntryKey(user, kind, at, conversation)) {
			t.Fatalf("%q is read as an entry of %q for %q", key, user, conversation)
		}
		if user, stamp, conversation, err := persistence.ParseRemovalKey(key); err == nil && !bytes.Equal(key, persistence.RemovalKey(user, stamp, conversation)) {
			t.Fatalf("%q is read as a removal of %q for %q", key, conversation, user)
		}
	})
}
