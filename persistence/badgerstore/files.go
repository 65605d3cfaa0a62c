package badgerstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// files is what the files of a store's directory take.
type files struct {
	bytes, apparent             int64 // in all: as the file system has them allocated, and as long as they say they are
	tables, logs, values, other int64 // allocated, by what they are
	newest                      string
	logged                      map[string]struct{} // names of the memtables' logs
}

// measure looks at each file of dir, and of the redo log in it, which costs a system call for each table. Files that go meanwhile do not count.
func measure(dir string) (files, error) {
	f, err := measureFiles(dir)
	if err != nil {
		return files{}, err
	}
	redo, err := measureFiles(filepath.Join(dir, redoDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return files{}, err
	}
	f.bytes += redo.bytes
	f.apparent += redo.apparent
	f.logs += redo.bytes
	return f, nil
}

func measureFiles(dir string) (files, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return files{}, err
	}
	f := files{logged: make(map[string]struct{})}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return files{}, err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		allocated := allocatedBytes(info)
		f.bytes += allocated
		f.apparent += info.Size()
		switch filepath.Ext(e.Name()) {
		case ".sst":
			f.tables += allocated
		case ".mem":
			f.logs += allocated
			f.logged[e.Name()] = struct{}{}
			if laterLog(e.Name(), f.newest) {
				f.newest = e.Name()
			}
		case ".vlog":
			f.values += allocated
		default:
			f.other += allocated
		}
	}
	return f, nil
}

// laterLog compares the names of two memtables' logs: numbers of five digits, or more where there were so many.
func laterLog(a, b string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return strings.Compare(a, b) > 0
}
