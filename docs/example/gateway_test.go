package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
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
				ctx: t.Context(), user: "ann", engine: e.Engine, log: log, devices: map[string]*device{},
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
		}
		if !slices.Equal(said, want) {
			t.Errorf("it said %q, want %q", said, want)
		}
	})
}

func TestADeviceThatWasAwayFoldsWhatChangedIntoTheListThatANewOneIsShown(t *testing.T) {
	leave := &conversation.Leave{Users: []string{"ann"}}
	hide := &conversation.Set{User: "ann", Hide: new(persistence.HideAlways)}
	for _, test := range []struct {
		name string
		what func(e *actorstest.Engine)
		gone bool // the device is away meanwhile
	}{
		{"nothing", func(*actorstest.Engine) {}, true},
		{"a message", func(e *actorstest.Engine) { e.Post("group:001", "bob", 2) }, true},
		{"a new conversation", func(e *actorstest.Engine) { e.Post("group:new", "bob", 1, "ann") }, true},
		{"it is left", func(e *actorstest.Engine) { e.Do("group:001", leave) }, true},
		{"it is hidden", func(e *actorstest.Engine) { e.Do("group:001", hide) }, true},
		{"it is hidden and shown again", func(e *actorstest.Engine) {
			e.Do("group:001", hide)
			e.Do("group:001", &conversation.Set{User: "ann", Hide: new(persistence.HideNone)})
		}, true},
		{"it is deleted", func(e *actorstest.Engine) { e.Delete("group:001") }, true},
		{"its deadline passes", func(e *actorstest.Engine) { e.Advance(time.Second) }, true},
		{"the engine is restarted", func(e *actorstest.Engine) {
			e.Post("group:001", "bob", 2)
			e.Restart()
			e.Do("group:002", leave)
		}, true},
		{"the engine crashes", func(e *actorstest.Engine) {
			e.Do("group:002", leave)
			e.Crash()
			e.Post("group:001", "bob", 2)
		}, true},
		{"it is left while devices are there", func(e *actorstest.Engine) { e.Do("group:001", leave) }, false},
		{"it is hidden while devices are there", func(e *actorstest.Engine) { e.Do("group:001", hide) }, false},
		{"much at once", func(e *actorstest.Engine) {
			for i := range 150 {
				name := fmt.Sprintf("group:%03d", i)
				switch i % 4 {
				case 0:
					e.Post(name, "bob", 2)
				case 1:
					e.Do(name, leave)
				case 2:
					e.Do(name, hide)
				}
			}
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := actorstest.Start(t, policies())
				for i := range 250 { // three pages
					e.Post(fmt.Sprintf("group:%03d", i), "bob", 1, "ann")
				}
				e.Post("flash:1", "bob", 1, "ann")
				e.Advance(time.Millisecond)
				system := actorstest.NewHost(t)
				g := &gateway{
					ctx: t.Context(), user: "ann", engine: e.Engine, log: newMessageLog(), devices: map[string]*device{},
				}
				lists := 0
				g.say = func(format string, _ ...any) {
					if strings.Contains(format, "is shown") {
						lists++
					}
				}
				pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return g }))
				tell := func(m any) {
					system.Root.Send(pid, m)
					synctest.Wait()
				}
				tell(&connect{device: "phone"})
				if n := len(g.devices["phone"].known); n != 251 {
					t.Fatalf("the phone is shown %d conversations, want 251", n)
				}
				if test.gone {
					tell(&disconnect{device: "phone"})
				}
				e.Advance(time.Millisecond)
				test.what(e)
				g.engine = e.Engine
				if test.gone {
					tell(&news{event: actors.Event{Conversation: "group:001", Changed: &actors.Changed{LastSeq: 9, Kinds: []string{"post"}}}})
					tell(&connect{device: "phone"})
				} else {
					tell(&news{event: actors.Event{Conversation: "group:001", Changed: &actors.Changed{LastSeq: 1, Kinds: []string{"leave"}}}})
				}
				tell(&connect{device: "tablet"})
				phone, tablet := g.devices["phone"], g.devices["tablet"]
				if !maps.Equal(phone.known, tablet.known) || phone.behind || tablet.behind {
					t.Errorf("the phone has %d conversations, the tablet is shown %d others or with other messages:\n%v\n%v",
						len(phone.known), len(tablet.known), phone.known, tablet.known)
				}
				if lists != 2 {
					t.Errorf("a whole list was shown %d times, want once to each device", lists)
				}
				want := map[string]uint64{}
				for _, v := range e.List("ann") {
					want[v.Conversation] = v.LastSeq
				}
				if !maps.Equal(phone.known, want) {
					t.Errorf("the phone has %v, the list is %v", phone.known, want)
				}
			})
		})
	}
}

func TestWhatHappensWhileADeviceIsBeingToldIsToldAfterwards(t *testing.T) {
	for at := 500 * time.Millisecond; at < 10*time.Second; at += time.Second {
		synctest.Test(t, func(t *testing.T) {
			e := actorstest.Start(t, actors.Config{})
			e.Post("group:1", "bob", 1, "ann")
			e.Advance(time.Second)
			e.Store.SetFaults(persistencetest.Faults{Get: func([]byte) error {
				time.Sleep(time.Second) // virtual: a snapshot is old once it was read
				return nil
			}})
			system := actorstest.NewHost(t)
			g := &gateway{
				ctx: t.Context(), user: "ann", engine: e.Engine, log: newMessageLog(), devices: map[string]*device{}, say: func(string, ...any) {},
			}
			pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return g }))
			system.Root.Send(pid, &connect{device: "phone"})
			e.Advance(at)
			e.Post("group:1", "bob", 2)
			system.Root.Send(pid, &news{event: actors.Event{Conversation: "group:1", Changed: &actors.Changed{LastSeq: 2, Kinds: []string{"post"}}}})
			e.Advance(time.Minute)
			if got := g.devices["phone"].known["group:1"]; got != 2 {
				t.Errorf("after a message %v into its connecting, the phone knows %d messages, want 2", at, got)
			}
		})
	}
}
