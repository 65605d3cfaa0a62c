package benchmarks_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// threadTime returns how much time of a processor the calling thread has taken.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// processTime returns how much time of processors the process has taken.
func processTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// forget has the operating system drop what it has of a closed store's files in memory, and returns which part of them it kept all the same.
func forget(b *testing.B, dir string) (kept float64) {
	b.Helper()
	pages, resident := 0, 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil || info.Size() == 0 {
			return err
		}
		descriptor := int(file.Fd())
		if err := unix.Fdatasync(descriptor); err != nil {
			return err
		}
		if err := unix.Fadvise(descriptor, 0, 0, unix.FADV_DONTNEED); err != nil {
			return err
		}
		mapped, err := unix.Mmap(descriptor, 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		defer unix.Munmap(mapped) //nolint:errcheck // nothing can be done
		there := make([]byte, (len(mapped)+os.Getpagesize()-1)/os.Getpagesize())
		// Package unix has no mincore; both slices are not empty and outlive the call.
		_, _, fault := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), uintptr(unsafe.Pointer(&there[0])))
		if fault != 0 {
			return fault
		}
		for _, page := range there {
			pages++
			resident += int(page & 1)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(resident) / float64(max(pages, 1))
}
