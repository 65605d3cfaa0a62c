// Package actorstest runs a real engine in virtual time, for the tests of what is built on it.
//
// Everything happens in a bubble of testing/synctest: the clock stands still until all goroutines wait, so that a hundred days of conversations take as long as the
// work in them, and nothing depends on how fast the machine is. The store is a fake that can be slow, fail and crash.
//
//	func TestAGroupIsForgottenThirtyDaysAfterItsLastMessage(t *testing.T) {
//		config := actors.Config{Default: conversation.Policy{ExpireAfter: 30 * 24 * time.Hour}}
//		actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
//			for day := range uint64(100) {
//				e.Post("group:42", "ann", day+1, "bob")
//				e.Advance(24 * time.Hour)
//			}
//			if v := e.View("group:42", "bob"); v == nil || v.Membership.Unread != 100 {
//				t.Fatalf("bob sees %+v, want 100 unread messages", v)
//			}
//			expired := e.AwaitExpired(30*24*time.Hour, "group:42")
//			if expired.LastSeq != 100 || len(e.List("bob")) != 0 {
//				t.Errorf("got %+v, want the end of the whole conversation, and that nobody is shown it", expired)
//			}
//		})
//	}
//
// # Starting
//
// [Run] is a bubble with an engine in it. In a test that has its own bubble, [Start] starts an engine, and [StartOn] one on a store or in a host's actor system of the
// test's choice. Nobody stops it: that happens when the test ends. The test then fails where the store contradicts itself, where a
// proposal was neither applied nor refused, or where a snapshot was left open; and synctest fails it where a goroutine is left.
//
// # Proposing and looking
//
// There is a verb for every change: [Engine.Post], [Engine.Edit], [Engine.Retract], [Engine.Join], [Engine.Leave], [Engine.Read], [Engine.Deliver], [Engine.MarkUnread],
// [Engine.Clear], [Engine.Set], [Engine.Hold], [Engine.Delete]. They wait until the change is committed, and fail the test where it is refused. [Engine.Do] and [Engine.Send] return
// refusals instead, for tests of those. [Engine.View], [Engine.List], [Engine.MembersOf] and [Engine.BadgeOf] are what a user sees. Whatever else an [actors.Engine] can do is there too.
//
// # Time
//
// Time goes by when everybody waits: in [Engine.Advance], and in whatever else the test waits for, a proposal for example. Advance(0) waits for quiet alone. Do not sleep to
// let something happen: advance, or wait for it with [Engine.Await].
//
// # What the engine says
//
// All that it tells its observer is recorded, in order: [Engine.Notes], or one kind of it: [Engine.Expired], [Engine.Failed], [Engine.Unanswered], [Engine.Flushes],
// [Engine.Reaps]. The config's own observer is told as well. [Engine.Await] lets time go by until something was said.
//
// # Crashes
//
// [Engine.Crash] is a power cut: the next engine finds what was committed. [Engine.Restart] is an orderly stop and start. [Engine.Fence] is another machine that takes the store.
//
//	func TestACrashTakesBackWhatWasOnlyApplied(t *testing.T) {
//		config := actors.Config{FlushInterval: time.Hour} // nothing is written unless somebody waits for it
//		actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
//			e.Post("group:42", "ann", 1)
//			e.Send(&actors.Proposal{
//				Conversation: "group:42",
//				Change:       &conversation.Post{Seq: 2, Sender: "ann"},
//				Ack:          actors.AckApplied,
//			})
//			e.Crash()
//			if v := e.View("group:42", ""); v == nil || v.LastSeq != 1 {
//				t.Errorf("got %+v, want what was committed: the first post", v)
//			}
//		})
//	}
//
// # Faults
//
// [Engine.Break] and [Engine.BreakFor] make the store fail in a way that has a name: [WritesFail], [DiskIsFull], [AnswersAreLost], [WritesHang], [WritesTake], [ReadsTake],
// [ReadsFail], [RowsAreRefused]. [Engine.Heal] ends that. Rarer faults can be set at [Engine.Store] directly; then Break must not be used meanwhile, which would replace them. There is no fault that makes a
// conversation panic: nothing that a host can send does. What a host would see of it, ErrUnavailable and then ErrQuarantined, ReadsFail and RowsAreRefused bring about.
//
//	func TestAPostWaitsUntilTheStoreIsWell(t *testing.T) {
//		actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
//			e.BreakFor(10*time.Second, actorstest.WritesFail(nil))
//			began := time.Now()
//			e.Post("group:42", "ann", 1) // answered once it is committed
//			if took := time.Since(began); took < 10*time.Second || took > 15*time.Second {
//				t.Errorf("the post took %v, want a little more than the ten seconds of the fault", took)
//			}
//		})
//	}
//
// # Back-pressure
//
// A small bound and a store that hangs make an engine refuse, for tests of what the host does then.
//
//	func TestWhoFallsBehindIsToldWhenToComeBack(t *testing.T) {
//		config := actors.Config{MaxJournalBytes: 10_000}
//		actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
//			e.Break(actorstest.WritesHang())
//			var refusal *conversation.Error
//			for i := 0; refusal == nil; i++ {
//				r := e.Send(&actors.Proposal{
//					Conversation: fmt.Sprintf("group:%d", i),
//					Change:       &conversation.Post{Seq: 1, Sender: "ann"},
//					Ack:          actors.AckApplied,
//				})
//				refusal, _ = errors.AsType[*conversation.Error](r.Err)
//			}
//			if !errors.Is(refusal, conversation.ErrOverloaded) || refusal.RetryAfter == 0 {
//				t.Errorf("got %+v, want ErrOverloaded, and when to try again", refusal)
//			}
//			e.Heal()
//			e.Advance(refusal.RetryAfter)
//			e.Post("group:again", "ann", 1)
//		})
//	}
//
// # Actors of the host
//
// A protoactor system from [NewHost] works in a bubble, and [StartOn] starts an engine in it. The host's actors then run in virtual time with it: each Advance returns when they, too, wait.
// [Engine.NewClient] is an actor that stands for any of them.
//
//	func TestTheGreeterGreetsEveryConversation(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			host := actorstest.NewHost(t)
//			e := actorstest.StartOn(t, nil, host, actors.Config{})
//			g := &greeter{engine: e.PID()}
//			pid := host.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return g }))
//			host.Root.Send(pid, "group:1")
//			host.Root.Send(pid, "group:2")
//			e.Advance(0) // until everybody waits
//			if g.greeted != 2 || len(e.List("greeter")) != 2 {
//				t.Errorf("%d conversations were greeted, %d are in the list; want 2", g.greeted, len(e.List("greeter")))
//			}
//		})
//	}
//
// # What to know of bubbles
//
// What is made outside a bubble does not work inside, and the other way round: start actor systems, timers and channels in it. A goroutine that waits for the network, a file or a
// mutex does not count as waiting: time stands still until it goes on. See testing/synctest for the rest.
package actorstest
