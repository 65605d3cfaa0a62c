package server

import (
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

func TestWhatRemainsOfAForgettingReachesTheClientOverEveryWire(t *testing.T) {
	f := start(t, &fakeEngine{forget: func(_ context.Context, user string) (uint64, error) { return uint64(len(user)) << 40, nil }})
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			got, err := client.ForgetUser(t.Context(), &parleyv1.ForgetUserRequest{User: "ann"})
			if err != nil || got.GetRemaining() != 3<<40 {
				t.Errorf("%v, %v; want %d", got, err, uint64(3<<40))
			}
		})
	}
}

func TestWhoOnlyAsksOrdersNothing(t *testing.T) {
	f := start(t, &fakeEngine{forgetting: func(_ context.Context, user string) (uint64, error) { return uint64(len(user)), nil }})
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			if got, err := client.ForgetUser(t.Context(), &parleyv1.ForgetUserRequest{User: "ann", OnlyAsk: true}); err != nil || got.GetRemaining() != 3 {
				t.Errorf("%v, %v; want 3", got, err)
			}
		})
	}
}

func TestACallerWhoStopsWaitingForAForgettingIsToldThatTheOutcomeIsUnknown(t *testing.T) {
	asked := make(chan struct{}, 10)
	f := start(t, &fakeEngine{forget: func(ctx context.Context, _ string) (uint64, error) {
		asked <- struct{}{}
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}})
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			go func() {
				<-asked
				cancel()
			}()
			if _, err := client.ForgetUser(ctx, &parleyv1.ForgetUserRequest{User: "ann"}); connect.CodeOf(err) != connect.CodeCanceled {
				t.Errorf("%v, want canceled", err)
			}
		})
	}
}

func TestARealEngineForgetsAUserAndRefusesNobody(t *testing.T) {
	f, _ := startReal(t)
	for wire, client := range f.wires() {
		t.Run(wire, func(t *testing.T) {
			bob := "bob over " + wire
			if _, err := client.Propose(t.Context(), postRequest("forget:"+wire, &parleyv1.Post{Seq: 1, Sender: "ann", Members: []string{bob}})); err != nil {
				t.Fatal(err)
			}
			for remaining := uint64(1); remaining > 0; {
				got, err := client.ForgetUser(t.Context(), &parleyv1.ForgetUserRequest{User: bob})
				if err != nil {
					t.Fatal(err)
				}
				remaining = got.GetRemaining()
			}
			members, err := client.ListMembers(t.Context(), &parleyv1.ListMembersRequest{Conversation: "forget:" + wire})
			if err != nil || len(members.GetMembers()) != 1 {
				t.Errorf("the members are %v, %v; want ann alone", members, err)
			}
			_, err = client.ForgetUser(t.Context(), &parleyv1.ForgetUserRequest{})
			wantRefusal(t, err, connect.CodeInvalidArgument, parleyv1.Code_CODE_INVALID, "user", "user must not be empty")
		})
	}
}
