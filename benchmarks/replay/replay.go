package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/oracle"
	"github.com/parley-im/parley/benchmarks/scratch"
	"github.com/parley-im/parley/benchmarks/trace"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// stopWithin bounds how long an engine may take to stop, in real time.
const stopWithin = 30 * time.Second

// Run replays the trace at path and returns its report. A report with differences is not an error: see [Report.Err]. An error means that there is
// no report: the trace is malformed (a *[trace.Error]) or empty, the directory is not, the engine failed, or ctx ended. What Run started is
// stopped and closed in any case.
func Run(ctx context.Context, path string, config Config) (*Report, error) {
	began := time.Now()
	if config.ExpireAfter == 0 {
		config.ExpireAfter = DefaultExpireAfter
	}
	expected, err := oracle.New(config.ExpireAfter)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	reader, err := trace.Open(path)
	if err != nil {
		return nil, err
	}
	report, err := runTrace(ctx, path, reader, expected, config)
	if err = errors.Join(err, reader.Close()); err != nil {
		return nil, err
	}
	report.Trace = path
	report.ElapsedSeconds = time.Since(began).Seconds()
	return report, nil
}

// runTrace replays on a store that it opens and closes.
func runTrace(ctx context.Context, path string, reader *trace.Reader, expected *oracle.Oracle, config Config) (report *Report, err error) {
	first, err := reader.Next()
	if errors.Is(err, io.EOF) {
		return nil, &trace.Error{File: path, Line: reader.Line() + 1, Column: 1, Expected: "a message", Got: "the end of the file"}
	}
	if err != nil {
		return nil, err
	}
	dir, remove, err := scratch.Open(config.Dir, "replay")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	// The replay can be repeated from its trace, so nothing is gained by waiting for the disk.
	store, err := badgerstore.Open(dir, badgerstore.Options{NoSync: true})
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	virtual := clock.NewVirtual(first.At())
	ends := new(endings)
	engine, err := actors.Start(ctx, nil, store, config.engine(virtual, &actors.Observer{Expired: ends.expired}))
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		err = errors.Join(err, engine.Stop(stopping))
	}()
	report, err = replay(ctx, engine, virtual, ends, reader, first, expected, config)
	if err != nil {
		return nil, errors.Join(err, engine.Err())
	}
	report.count(engine.Stats())
	return report, nil
}

// replay drives the engine and checks what came out.
func replay(
	ctx context.Context, on engine, virtual *clock.Virtual, ends *endings,
	reader *trace.Reader, first *trace.Row, expected *oracle.Oracle, config Config,
) (*Report, error) {
	d := &driver{
		engine:       on,
		clock:        virtual,
		oracle:       expected,
		progress:     config.Progress,
		settleWithin: config.ExpireAfter / 2,
		settled:      virtual.Now(),
		second:       first.Second,
		users:        make(map[uint32]string),
		names:        make(map[uint32]string),
	}
	if d.progress == nil {
		d.progress = func(int64, int64) {}
	}
	start, origin := time.Now(), virtual.Now()
	if err := d.run(ctx, reader, first); err != nil {
		return nil, err
	}
	took := time.Since(start)
	left, err := survivors(ctx, on, d.names)
	if err != nil {
		return nil, err
	}
	ended, totals := ends.list(), expected.Totals()
	outcome := compare(expected, ended, left)
	if d.firstFault != nil {
		outcome.note(d.firstFault)
	}
	report := &Report{
		ExpireAfter:        config.ExpireAfter.String(),
		Messages:           totals.Messages,
		Conversations:      totals.Conversations,
		Generations:        len(ended) + len(left),
		Expired:            len(ended),
		Alive:              len(left),
		Refused:            d.refused,
		Unchanged:          d.unchanged,
		FalseExpiries:      outcome.falseExpiries,
		MissedExpiries:     outcome.missedExpiries,
		VirtualSeconds:     virtual.Now().Sub(origin).Seconds(),
		ProposalsPerSecond: float64(totals.Messages) / took.Seconds(),
		Retried:            d.retried,
		MaxRSSBytes:        maxRSS(),
	}
	if outcome.first != nil {
		report.FirstDifference = outcome.first.String()
	}
	report.lateness(ended)
	return report, nil
}

// survivors asks the engine for every conversation and returns those it shows, by number.
func survivors(ctx context.Context, on engine, names map[uint32]string) (map[uint32]alive, error) {
	left := make(map[uint32]alive)
	for number, name := range names {
		view, err := on.Get(ctx, name, "")
		if errors.Is(err, conversation.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("replay: asking for %s: %w", name, err)
		}
		left[number] = alive{generation: view.Generation, lastSeq: view.LastSeq, expiresAt: view.ExpiresAt}
	}
	return left, nil
}

func (r *Report) count(stats actors.Stats) {
	r.Activations = stats.Cells.Activations
	r.Flushes = stats.Journal.Flushes
	r.RowsWritten = stats.Journal.Flushed
	r.RowsDeleted = stats.Reaper.Rows
}
