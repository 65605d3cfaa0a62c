package server

import (
	"testing"

	"connectrpc.com/connect"
	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// door is one way to speak to an engine. What it is asked stands as the JSON text of a message of api.proto; what it answers is the message of the
// answer, or a refusal.
type door interface {
	// use makes the door lead to another engine, after a restart.
	use(engine *actors.Engine)
	// propose takes a ProposeRequest; extra is added to its binary form.
	propose(t *testing.T, request, extra []byte) (*parleyv1.ProposeResponse, *refusal)
	// batch takes many.
	batch(t *testing.T, requests [][]byte) []*parleyv1.ProposeResponse
	get(t *testing.T, request []byte) (*parleyv1.Conversation, *refusal)
	list(t *testing.T, request []byte) (*parleyv1.ListConversationsResponse, *refusal)
	sync(t *testing.T, request []byte) (*parleyv1.SyncResponse, *refusal)
	members(t *testing.T, request []byte) (*parleyv1.ListMembersResponse, *refusal)
	forget(t *testing.T, request []byte) (*parleyv1.ForgetUserResponse, *refusal)
}

func doorNames() []string {
	return []string{"go", "actor", "json", "binary", "grpc", "grpc-web"}
}

// openDoor opens a door to an engine in the test's bubble.
func openDoor(t *testing.T, name string, e *actorstest.Engine, system *actor.ActorSystem) door {
	t.Helper()
	switch name {
	case "go":
		return &goDoor{engine: e.Engine}
	case "actor":
		return openActorDoor(t, e.Engine, system)
	case "json":
		server, transport := startOnPipes(t, e.Engine, false)
		return &jsonDoor{server: server, transport: transport}
	case "binary":
		server, transport := startOnPipes(t, e.Engine, false)
		return &clientDoor{server: server, client: pipedClient(transport)}
	case "grpc":
		server, transport := startOnPipes(t, e.Engine, true)
		return &clientDoor{server: server, client: pipedClient(transport, connect.WithGRPC())}
	case "grpc-web":
		server, transport := startOnPipes(t, e.Engine, false)
		return &clientDoor{server: server, client: pipedClient(transport, connect.WithGRPCWeb())}
	}
	t.Fatalf("there is no door %q", name)
	return nil
}

// parse reads a request, which is refused by no door but JSON's where it does not fit.
func parse[M proto.Message](t *testing.T, text []byte, message M) M {
	t.Helper()
	if err := protojson.Unmarshal(text, message); err != nil {
		t.Fatalf("only JSON can say %s: %v", text, err)
	}
	return message
}
