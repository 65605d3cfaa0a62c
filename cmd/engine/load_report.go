package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parley-im/parley/benchmarks/load"
)

// toStdout is what --json says for standard output.
const toStdout = "-"

// reports are the files that a report goes to. They are opened before the load is sent: whoever has waited for it learns nothing from a directory that was not there.
type reports struct {
	json, html *os.File // nil: none is wanted
}

// openReports leaves what is in the files as it is. An error names the flag.
func openReports(jsonPath, htmlPath string) (*reports, error) {
	if jsonPath == toStdout {
		jsonPath = ""
	}
	var r reports
	var err error
	if r.json, err = openReport("--json", jsonPath); err != nil {
		return nil, err
	}
	if r.html, err = openReport("--html", htmlPath); err != nil {
		return nil, errors.Join(err, r.abandon())
	}
	return &r, nil
}

func openReport(flag, path string) (*os.File, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // no file is wanted
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644) //nolint:gosec // it is for the user's eyes, and for whom they show it
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return file, nil
}

// write writes the report to all files and closes them.
func (r *reports) write(report *load.Report) error {
	return errors.Join(
		writeReport("--json", r.json, func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", " ")
			return encoder.Encode(report)
		}),
		writeReport("--html", r.html, report.WriteHTML),
	)
}

func writeReport(flag string, file *os.File, write func(io.Writer) error) error {
	if file == nil {
		return nil
	}
	err := file.Truncate(0)
	if errors.Is(err, os.ErrInvalid) || isDevice(file) {
		err = nil // there is nothing to be cut off of a pipe or a device
	}
	if err == nil {
		err = write(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

func isDevice(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// abandon closes the files, and removes those that hold nothing.
func (r *reports) abandon() error {
	var faults []error
	for _, file := range []*os.File{r.json, r.html} {
		if file == nil {
			continue
		}
		info, err := file.Stat()
		faults = append(faults, err, file.Close())
		if err == nil && info.Mode().IsRegular() && info.Size() == 0 {
			faults = append(faults, os.Remove(file.Name()))
		}
	}
	return errors.Join(faults...)
}
