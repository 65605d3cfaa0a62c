package contest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
)

// Machine is where it was measured, and with what.
type Machine struct {
	Processor  string            `json:"processor"`
	Processors int               `json:"processors"`
	Memory     string            `json:"memory"`
	System     string            `json:"system"`
	Go         string            `json:"go"`
	Versions   map[string]string `json:"versions"` // of Parley and the peers
}

// peersModules are the modules whose versions a reader wants to know.
func peersModules() []string {
	return []string{
		"github.com/asynkron/protoactor-go", "github.com/dgraph-io/badger/v4", "github.com/maypok86/otter/v2", "github.com/redis/go-redis/v9",
	}
}

// DescribeMachine looks at this one. redis is the path of redis-server, "" where there is none.
func DescribeMachine(ctx context.Context, redis string) Machine {
	m := Machine{
		Processor: field("/proc/cpuinfo", "model name"), Processors: runtime.NumCPU(), Memory: field("/proc/meminfo", "MemTotal"),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Versions: map[string]string{},
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += ", kernel " + strings.TrimSpace(string(kernel))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			for _, module := range peersModules() {
				if dependency.Path == module {
					m.Versions[module] = dependency.Version
				}
			}
		}
	}
	if revision, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		m.Versions["parley"] = strings.TrimSpace(string(revision))
	}
	if redis != "" {
		if said, err := exec.CommandContext(ctx, redis, "--version").Output(); err == nil {
			if fields := strings.Fields(string(said)); len(fields) > 2 {
				m.Versions["redis-server"] = strings.TrimPrefix(fields[2], "v=")
			}
		}
	}
	return m
}

// field returns what stands behind a name and a colon in a file of the system's, "" where that is not to be had.
func field(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
