package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
)

// vectorFile is a file of testdata/vectors. README.md there says what everything means.
type vectorFile struct {
	About   string    `json:"about"`
	Vectors []*vector `json:"vectors"`
}

type vector struct {
	Name   string       `json:"name"`
	Policy vectorPolicy `json:"policy"`
	Doors  []string     `json:"doors"` // the only ones that can say it; none: all
	Once   string       `json:"once"`  // why its changes are not proposed twice
	Steps  []*step      `json:"steps"`

	topic string // the file's name
}

type vectorPolicy struct {
	KeepUnread     bool   `json:"keep_unread"`
	KeepUnreadUpTo uint64 `json:"keep_unread_up_to"`
	MaxMembers     uint64 `json:"max_members"`
	MaxPreview     uint64 `json:"max_preview"`

	ExpireAfter  duration `json:"expire_after"`
	MaxSeqJump   uint64   `json:"max_seq_jump"`
	ReceiptsUpTo uint64   `json:"receipts_up_to"`
}

func (p vectorPolicy) policy() conversation.Policy {
	return conversation.Policy{
		ExpireAfter: time.Duration(p.ExpireAfter), KeepUnread: p.KeepUnread, KeepUnreadUpTo: p.KeepUnreadUpTo,
		MaxMembers: p.MaxMembers, MaxPreview: p.MaxPreview, MaxSeqJump: p.MaxSeqJump, ReceiptsUpTo: p.ReceiptsUpTo,
	}
}

// step does one thing and says what is to come of it.
type step struct {
	Note string `json:"note"`
	Cell string `json:"cell"` // "row | column" of a table of docs/semantics.md

	Propose json.RawMessage `json:"propose"` // a ProposeRequest
	Each    []uint64        `json:"each"`    // propose it for each $n from the first to the second number
	Extra   []byte          `json:"extra"`   // is added to the binary form of the request
	Batch   []*step         `json:"batch"`   // steps that propose
	Get     json.RawMessage `json:"get"`     // a GetConversationRequest
	List    json.RawMessage `json:"list"`    // a ListConversationsRequest
	Sync    json.RawMessage `json:"sync"`    // a SyncRequest
	Members json.RawMessage `json:"members"` // a ListMembersRequest
	Forget  json.RawMessage `json:"forget"`  // a ForgetUserRequest
	Advance duration        `json:"advance"`
	Restart bool            `json:"restart"`

	Outcome string `json:"outcome"` // one word; "": the cell's only one, or else "changed" of what is proposed
	Field   string `json:"field"`   // what a refusal names
	Again   string `json:"again"`   // the outcome of a repeat; "": that of a refusal, or else "nothing"

	Reply json.RawMessage `json:"reply"` // fields of the answer to what is proposed
	Shows json.RawMessage `json:"shows"` // fields of the answer to a look
}

// duration is written as Go does: "1h30m".
type duration time.Duration

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// check returns what is wrong with how a vector is written.
func (v *vector) check() error {
	if v.Name == "" || len(v.Steps) == 0 {
		return errors.New("a vector has a name and steps")
	}
	named := false
	for i, s := range v.Steps {
		for _, each := range append([]*step{s}, s.Batch...) {
			named = named || each.Cell != ""
			if err := each.check(); err != nil {
				return fmt.Errorf("step %d: %w", i, err)
			}
		}
		for _, item := range s.Batch {
			if item.Propose == nil || item.Each != nil || item.Extra != nil {
				return fmt.Errorf("step %d: a batch is of steps that propose one change each", i)
			}
		}
	}
	if !named {
		return errors.New("no step names a cell of docs/semantics.md")
	}
	for _, door := range v.Doors {
		if !slices.Contains(doorNames(), door) {
			return fmt.Errorf("there is no door %q", door)
		}
	}
	return nil
}

func (s *step) check() error {
	looks := 0
	for _, look := range []json.RawMessage{s.Get, s.List, s.Sync, s.Members, s.Forget} {
		if look != nil {
			looks++
		}
	}
	kinds := looks
	for _, is := range []bool{s.Propose != nil, s.Batch != nil, s.Advance != 0, s.Restart} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return fmt.Errorf("does %d things, want one", kinds)
	case s.Propose == nil && (s.Each != nil || s.Extra != nil || s.Reply != nil || s.Again != ""):
		return errors.New("each, extra, reply and again are for what is proposed")
	case looks == 0 && s.Shows != nil:
		return errors.New("shows is for looks")
	case looks == 1 && s.Shows == nil && s.Outcome == "" && s.Cell == "":
		return errors.New("a look must say what it shows")
	case looks == 0 && s.Propose == nil && (s.Outcome != "" || s.Field != "" || s.Cell != ""):
		return errors.New("has no outcome")
	case s.Each != nil && (len(s.Each) != 2 || s.Each[0] > s.Each[1]):
		return errors.New("each takes two numbers, the lower one first")
	}
	return nil
}

// loadVectors reads all files, in the order of their names.
func loadVectors(t *testing.T) []*vector {
	t.Helper()
	paths, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no vectors: %v", err)
	}
	var vectors []*vector
	names := map[string]bool{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file vectorFile
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			t.Fatalf("%s: there is more after the end", path)
		}
		if file.About == "" {
			t.Errorf("%s does not say what it is about", path)
		}
		for _, v := range file.Vectors {
			v.topic = strings.TrimSuffix(filepath.Base(path), ".json")
			if err := v.check(); err != nil {
				t.Errorf("%s: %q: %v", path, v.Name, err)
			}
			if names[v.Name] {
				t.Errorf("%s: there is more than one vector %q", path, v.Name)
			}
			names[v.Name] = true
		}
		vectors = append(vectors, file.Vectors...)
	}
	return vectors
}
