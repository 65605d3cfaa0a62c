package actors_test

import (
	"context"
	"fmt"
	"os"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// An engine embedded in a program, on a store in a directory.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "parley")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()

	store, err := badgerstore.Open(dir, badgerstore.Options{})
	check(err)
	engine, err := actors.Start(ctx, nil, store, actors.Config{})
	check(err)

	_, err = engine.Propose(ctx, &actors.Proposal{
		Conversation: "dm:ann+bob",
		Change:       &conversation.Post{Seq: 1, Sender: "ann", Preview: []byte("hello"), Members: []string{"ann", "bob"}},
	})
	check(err)
	view, err := engine.Get(ctx, "dm:ann+bob", "bob")
	check(err)
	fmt.Printf("%s: %q, %d unread\n", view.Peer, view.Preview, view.Membership.Unread)

	check(engine.Stop(ctx))
	check(store.Close())
	// Output: ann: "hello", 1 unread
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
