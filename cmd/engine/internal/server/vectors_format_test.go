package server

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestAStepThatIsWrittenWrongIsNotRun(t *testing.T) {
	page := map[string][]string{"post | none": {"changed"}, "post | over": {"changed", "nothing"}}
	for _, test := range []struct{ text, want string }{
		{`{}`, "does 0 things"},
		{`{"propose":{},"restart":true}`, "does 2 things"},
		{`{"get":{}}`, "must say what it shows"},
		{`{"get":{},"list":{},"shows":{}}`, "does 2 things"},
		{`{"restart":true,"shows":{}}`, "shows is for looks"},
		{`{"get":{},"shows":{},"reply":{}}`, "are for what is proposed"},
		{`{"advance":"1s","cell":"a | b"}`, "has no outcome"},
		{`{"propose":{},"each":[2,1]}`, "the lower one first"},
		{`{"propose":{},"cell":"no | cell"}`, "promises nothing at"},
		{`{"propose":{},"cell":"post | none","outcome":"nothing"}`, "not \"nothing\""},
		{`{"propose":{},"cell":"post | over"}`, "must say which"},
	} {
		var s step
		if err := json.Unmarshal([]byte(test.text), &s); err != nil {
			t.Fatal(err)
		}
		err := s.check()
		if err == nil {
			_, err = s.expected(page)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want one with %q", test.text, err, test.want)
		}
	}
}

func TestWhatAStepComesToIsTheWordOfItsCell(t *testing.T) {
	page := map[string][]string{"post | none": {"changed"}, "post | over": {"changed", "nothing"}, "read | none": {"NOT_FOUND"}}
	for text, want := range map[string]string{
		`{"propose":{}}`:                                          "changed",
		`{"propose":{},"outcome":"HELD"}`:                         "HELD",
		`{"propose":{},"cell":"read | none"}`:                     "NOT_FOUND",
		`{"propose":{},"cell":"post | over","outcome":"nothing"}`: "nothing",
		`{"get":{},"shows":{}}`:                                   "",
	} {
		var s step
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if got, err := s.expected(page); err != nil || got != want {
			t.Errorf("%s comes to %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestSymbolsAndMacrosAreWrittenOut(t *testing.T) {
	value, err := decodeJSON([]byte(`{"if_generation":"$g1","post":{"sender":{"$text":["ab",2]},"preview":{"$bytes":3},"members":{"$users":2},"seq":18446744073709551615}}`))
	if err != nil {
		t.Fatal(err)
	}
	filled, err := fill(value, func(name string) (string, error) { return "<" + name + ">", nil })
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(filled)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"if_generation":"\u003c$g1\u003e","post":{"members":["user0001","user0002"],"preview":"AAAA","sender":"abab","seq":18446744073709551615}}`
	if string(got) != want {
		t.Errorf("written out it is %s, want %s", got, want)
	}
	for _, bad := range []string{`{"$text":"x"}`, `{"$bytes":"x"}`, `{"$users":1.5}`, `{"$else":1}`} {
		value, err := decodeJSON([]byte(bad))
		if err != nil {
			t.Fatal(err)
		}
		if filled, err := fill(value, nil); err == nil {
			t.Errorf("%s becomes %v", bad, filled)
		}
	}
}

func TestOnlyTheFieldsThatAreGivenAreCompared(t *testing.T) {
	view := &parleyv1.Conversation{LastSeq: 7, Preview: []byte("hello"), Membership: &parleyv1.Membership{User: "bob", Unread: 1}}
	whole, err := plainJSON(view)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		fields string
		same   bool
	}{
		{`{}`, true},
		{`{"last_seq":7}`, true},
		{`{"last_seq":"7"}`, true},
		{`{"last_seq":8}`, false},
		{`{"preview":"aGVsbG8="}`, true},
		{`{"preview":""}`, false},
		{`{"last_sender":""}`, true},
		{`{"membership":null}`, false},
		{`{"expires_at":null}`, true},
		{`{"membership":{}}`, true},
		{`{"held":false,"peer":""}`, true},
		{`{"membership":{"unread":1,"mentions":0}}`, true},
		{`{"membership":{"unread":2,"user":"bob"}}`, false},
	} {
		given, err := decodeJSON([]byte(test.fields))
		if err != nil {
			t.Fatal(err)
		}
		want, err := normal(given, view)
		if err != nil {
			t.Fatalf("%s: %v", test.fields, err)
		}
		got, err := only(given, whole)
		if err != nil {
			t.Fatalf("%s: %v", test.fields, err)
		}
		if cmp.Equal(want, got) != test.same {
			t.Errorf("%s is compared as %v with %v, want the same: %v", test.fields, want, got, test.same)
		}
	}
	for _, bad := range []string{`{"lastSeq":7}`, `{"last_sequence":7}`, `{"last_seq":"seven"}`} {
		given, err := decodeJSON([]byte(bad))
		if err != nil {
			t.Fatal(err)
		}
		if want, err := normal(given, view); err == nil {
			t.Errorf("%s is taken as %v", bad, want)
		}
	}
}
