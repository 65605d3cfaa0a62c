package main

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
)

func TestADeviceIsPushedWhatItDoesNotKnowWhateverEventsCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := actorstest.NewHost(t)
		e := actorstest.StartOn(t, nil, system, actors.Config{})
		log := newMessageLog()
		for seq := range uint64(2) {
			e.Post("group:42", "bob", log.store("group:42", "bob", "hello"), "ann")
			if log.last()["group:42"] != seq+1 {
				t.Fatal("the log's numbers are not dense")
			}
		}
		var said []string
		gateway := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
			return &gateway{
				ctx: t.Context(), user: "ann", engine: e.Engine, log: log, devices: map[string]map[string]uint64{},
				say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
			}
		}))
		tell := func(messages ...any) {
			for _, m := range messages {
				system.Root.Send(gateway, m)
				synctest.Wait()
			}
		}
		changed := func(lastSeq uint64, origin string) *news {
			return &news{event: actors.Event{Conversation: "group:42", Changed: &actors.Changed{LastSeq: lastSeq, Origin: origin}}}
		}
		tell(&connect{device: "phone"})
		for range 4 {
			log.store("group:42", "bob", "hello")
		}
		tell(changed(2, ""), changed(4, ""), changed(3, ""), changed(4, ""), changed(5, "ann/phone"), changed(6, "ann/laptop"), &relook{})
		want := []string{
			"ann/phone is shown group:42 (2 unread)", "ann has a badge of 2",
			"ann/phone gets group:42 3 from bob: hello", "ann/phone gets group:42 4 from bob: hello", "ann/phone gets group:42 6 from bob: hello",
			"ann/phone is shown group:42 (2 unread)", // once more, after a gap
		}
		if !slices.Equal(said, want) {
			t.Errorf("it said %q, want %q", said, want)
		}
	})
}
