package parley

import "github.com/parley-im/parley/benchmarks/compare/internal/side"

// Sides returns the sides that are Parley's, by name.
func Sides() map[string]side.Opener {
	return map[string]side.Opener{
		"parley.fixture":  OpenFixture,
		"parley.posts":    OpenPosts,
		"parley.asks":     OpenAsks,
		"parley.commits":  OpenCommits,
		"parley.callers":  OpenCallers,
		"parley.resident": OpenResident,
		"parley.heap":     OpenHeap,
		"parley.steady":   OpenSteady,
		"parley.reap":     OpenReap,
		"parley.felt":     OpenFelt,
		"parley.inline":   OpenInline,
		"parley.overload": OpenOverload,
		"parley.wire":     OpenWire,
		"parley.doomed":   OpenDoomed,
		"parley.bounded":  OpenBounded,
	}
}
