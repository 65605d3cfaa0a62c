package main

import (
	"errors"
	"fmt"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks"
	"github.com/parley-im/parley/benchmarks/trace"
	"github.com/parley-im/parley/benchmarks/workload"
)

// draw makes the workload, which reads the trace where there is one.
func (o *loadOptions) draw() (w *workload.Workload, err error) {
	if o.kind == string(workload.Trace) {
		reader, err := openTrace(o.trace)
		if err != nil {
			return nil, err
		}
		defer func() { _ = reader.Close() }() // it was only read
		o.workload.Trace = reader
	}
	return workload.New(o.workload)
}

func openTrace(path string) (*trace.Reader, error) {
	if path == "" {
		return trace.NewReader(benchmarks.ExcerptName, benchmarks.Excerpt())
	}
	reader, err := trace.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	return reader, nil
}

func ackOf(name string) (actors.Ack, error) {
	for _, ack := range [...]actors.Ack{actors.AckApplied, actors.AckCommitted} {
		if name == ack.String() {
			return ack, nil
		}
	}
	return 0, fmt.Errorf("--ack: must be committed or applied, is %q", name)
}

// flaggedAll makes faults of a configuration's fields faults of flags, which have the same names.
func flaggedAll(err error) error {
	joined, ok := err.(interface{ Unwrap() []error }) // it is what errors.Join returned
	if !ok {
		return flagged(err)
	}
	faults := joined.Unwrap()
	for i := range faults {
		faults[i] = flagged(faults[i])
	}
	return errors.Join(faults...)
}

func flagged(err error) error {
	if fault, ok := errors.AsType[*workload.FieldError](err); ok {
		return fmt.Errorf("--%w", fault)
	}
	return err
}
