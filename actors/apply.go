package actors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// ApplyProgress says how far [Engine.ApplyPolicies] has come.
type ApplyProgress struct {
	Done    int    // shards, of persistence.Shards
	Looked  uint64 // conversations looked at, those of a run before this one goes on with among them
	Changed uint64 // among those, what got another deadline
	Skipped uint64 // among those, what could not be had: quarantined, or its rows cannot be read. They keep the deadline that they had.
	Resumed bool   // it goes on with one that was not done
}

const (
	// applyReads is how many heads a step reads at most: a snapshot is held for a few milliseconds.
	applyReads = 4_096
	// applyAtOnce is how many conversations are asked at a time.
	applyAtOnce = 128
	// applyNotes is how often the cursor is written, at most: what is done between two is looked at once more after a crash.
	applyNotes = time.Second
	// rowsOfReview is about how many rows a conversation writes that gets another deadline: its head, and its due entry where it was and where it is.
	rowsOfReview = 3
)

// ApplyPolicies has the policies that the engine was started with apply to all conversations of a namespace, or of all where that is "", also to those that nothing happens in: see
// [conversation.State.Reconsider]. What has to be over is over when it is reached; held conversations, and those that a policy keeps, are not. It returns once all were looked at, which
// takes a while: it goes through the store at a quarter of ReaperConfig.MinRowsPerSecond, so that proposals do not wait, and calls progress, unless that is nil, after each step, on the
// caller's goroutine.
//
// How far it has come is in the store. Where ctx ends, or the engine does, the next call for the same namespace under the same policies goes on from there, whichever engine it is made to;
// one for others begins anew. It may be repeated: what is as it should be is not changed.
//
// Errors are *[conversation.Error]: ErrInvalid of the field namespace; ErrConflict where another call is under way; ErrUnavailable where the engine has stopped or the
// store fails; or ctx's cause.
func (e *Engine) ApplyPolicies(ctx context.Context, namespace string, progress func(ApplyProgress)) (ApplyProgress, error) {
	if err := checkNamespace(namespace); err != nil {
		return ApplyProgress{}, err
	}
	if !e.applying.TryLock() {
		return ApplyProgress{}, &conversation.Error{Kind: conversation.ErrConflict, Reason: "policies are being applied already"}
	}
	defer e.applying.Unlock()
	a := &application{engine: e, namespace: namespace, progress: progress}
	err := e.Flush(ctx) // what is looked at is what is in the store
	if err == nil {
		err = a.resume(ctx)
	}
	for err == nil && int(a.at.Shard) < len(e.shards) && !a.done {
		err = a.step(ctx)
	}
	if err == nil {
		err = a.finish(ctx)
	} else if a.unsaved {
		_ = a.save(context.WithoutCancel(ctx)) // it is only so that less is looked at twice
	}
	if err != nil && ctx.Err() == nil {
		err = asError(err)
	}
	return a.reached(), err
}

func checkNamespace(namespace string) error {
	if namespace == "" {
		return nil
	}
	if strings.Contains(namespace, ":") || persistence.CheckConversation(namespace+":x") != nil {
		return conversation.Invalid("namespace", "must be a namespace: UTF-8, without colon and NUL")
	}
	return nil
}

// application is one pass over all conversations.
type application struct {
	engine    *Engine
	namespace string
	progress  func(ApplyProgress)
	at        persistence.Sweep
	resumed   bool
	done      bool
	unsaved   bool
	saved     persistence.Instant
}

func (a *application) reached() ApplyProgress {
	done := int(a.at.Shard)
	if a.done {
		done = persistence.Shards
	}
	return ApplyProgress{Done: done, Looked: a.at.Looked, Changed: a.at.Changed, Skipped: a.at.Skipped, Resumed: a.resumed}
}

// mark stands for what the pass is for.
func (a *application) mark() uint64 {
	c := &a.engine.config
	return persistence.Hash(fmt.Sprintf("%q %+v %+v", a.namespace, c.Default, c.Namespaces)) // a map is printed in the order of its keys
}

// resume finds out where to go on.
func (a *application) resume(ctx context.Context) error {
	e := a.engine
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	a.saved = e.clock.now()
	value, err := snapshot.Get(ctx, persistence.SweepKey())
	if err == nil {
		if a.at, err = persistence.DecodeSweep(value); err != nil {
			return err
		}
	} else if !errors.Is(err, persistence.ErrNotFound) {
		return err
	}
	if a.resumed = err == nil && a.at.Mark == a.mark(); !a.resumed {
		a.at = persistence.Sweep{Mark: a.mark()}
	}
	return nil
}

// step looks at the next few conversations of a shard, and has those reviewed that are not as they should be.
func (a *application) step(ctx context.Context) error {
	e := a.engine
	if e.draining.Load() {
		return unavailable("", ErrStopped)
	}
	names, read, last, err := a.find(ctx)
	if err != nil {
		return err
	}
	changed, skipped, err := a.review(ctx, names)
	if err != nil {
		return err
	}
	a.at.Looked, a.at.Changed, a.at.Skipped, a.unsaved = a.at.Looked+uint64(read), a.at.Changed+changed, a.at.Skipped+skipped, true
	switch a.at.After = last; {
	case last != "":
	case int(a.at.Shard) == persistence.Shards-1:
		a.done = true
	default:
		a.at.Shard++
	}
	if !a.done && e.clock.now().Sub(a.saved) >= applyNotes {
		if err := a.save(ctx); err != nil {
			return err
		}
	}
	if a.progress != nil {
		a.progress(a.reached())
	}
	return e.wait(ctx, e.pace.unhurried(pruneShare*(int(changed)*rowsOfReview+read/readsPerDelete)))
}

// find reads on in the shard, and returns the conversations that are not as their policy asks for, how many were read and the last of those; "": the shard has no more.
func (a *application) find(ctx context.Context) (names []string, read int, last string, err error) {
	e := a.engine
	now := e.clock.now()
	within := persistence.HeadsRange(a.at.Shard)
	if a.namespace != "" {
		within = persistence.NamespaceRange(a.at.Shard, a.namespace)
	}
	if a.at.After != "" {
		within = within.After(persistence.HeadKey(a.at.After))
	}
	// Whatever is not in the snapshot yet was changed since the engine has begun, and with that came under its policies.
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return nil, 0, "", err
	}
	defer snapshot.Close()
	for row, err := range snapshot.Scan(ctx, within) {
		if err != nil {
			return nil, 0, "", err
		}
		if read == applyReads || len(names) == applyAtOnce {
			return names, read, last, nil
		}
		if last, err = persistence.ParseHeadKey(bytes.Clone(row.Key)); err != nil {
			return nil, 0, "", err
		}
		read++
		head, _, err := persistence.DecodeHead(row.Value)
		// One that cannot be read is left to its conversation, which says so.
		if err != nil || (head != nil && !conversation.Applied(e.config.policy(persistence.Namespace(last)), last, head, now)) {
			names = append(names, last)
		}
	}
	return names, read, "", nil
}

// review has conversations reviewed, and returns once what came of it is in the store.
func (a *application) review(ctx context.Context, names []string) (changed, skipped uint64, err error) {
	type answer struct {
		changed bool
		err     error
	}
	answers := make(chan answer, len(names))
	for _, name := range names {
		m := &review{conversation: name, committed: func(is bool, err error) { answers <- answer{is, err} }}
		if refused := a.engine.send(name, m); refused != nil {
			m.fail(a.engine, refused)
		}
	}
	for range names {
		select {
		case r := <-answers:
			switch {
			case r.err != nil:
				skipped++
			case r.changed:
				changed++
			}
		case <-a.engine.done:
			return 0, 0, unavailable("", ErrStopped)
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		}
	}
	if a.engine.draining.Load() { // what was skipped may have been because of that
		return 0, 0, unavailable("", ErrStopped)
	}
	return changed, skipped, nil
}

// save writes how far the pass has come. All of it is in the store.
func (a *application) save(ctx context.Context) error {
	return a.commit(ctx, persistence.Group{Puts: []persistence.Put{{Key: persistence.SweepKey(), Value: a.at.Encode()}}})
}

func (a *application) finish(ctx context.Context) error {
	return a.commit(ctx, persistence.Group{Deletes: []persistence.Delete{{Key: persistence.SweepKey()}}})
}

func (a *application) commit(ctx context.Context, group persistence.Group) error {
	now := a.engine.clock.now()
	group.Epoch = a.engine.shards[0].epoch
	a.saved, a.unsaved = now, false
	return a.engine.commit(ctx, now, []persistence.Group{group})
}
