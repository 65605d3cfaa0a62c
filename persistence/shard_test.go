package persistence_test

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

func TestAConversationNeverChangesItsShard(t *testing.T) {
	for name, want := range map[string]persistence.Shard{
		"lx:a":                           143,
		"lx:a:y":                         211,
		"lx:aa":                          194,
		"lx:y":                           43,
		"lx":                             218,
		"a:b":                            219,
		"direct:alice/bob":               161,
		"direct:bob/alice":               241,
		"group:語":                        142,
		"lx:1":                           250,
		"lx:2":                           25,
		"lx:3":                           89,
		"lx:613106":                      47,
		"lx:" + strings.Repeat("a", 252): 104,
	} {
		if got := persistence.ShardOf(name); got != want {
			t.Errorf("ShardOf(%q) = %d; every store has it in %d", name, got, want)
		}
	}
}

func TestShardsAreTheTopOfAFinishedFNV1a(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := drawName().Draw(t, "name")
		fnv1a := fnv.New64a()
		_, _ = fnv1a.Write([]byte(name))
		h := fnv1a.Sum64()
		for _, factor := range []uint64{0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53} {
			h = (h ^ h>>33) * factor
		}
		h ^= h >> 33
		if got := persistence.ShardOf(name); uint64(got) != h>>56 {
			t.Fatalf("ShardOf(%q) = %d; want %d", name, got, h>>56)
		}
	})
}

// A chi-squared sum over 256 shards has mean 255 and standard deviation 22.6, so that an even spread stays below 400 but once in ten million.
func TestNamesThatCountUpSpreadEvenlyOverShards(t *testing.T) {
	const names, most = 100_000, 400
	for _, pattern := range []string{"lx:%d", "g:%08x", "direct:%d", "a:room/%d/chat", "direct:u%d:u1", "%d:a"} {
		var counts [persistence.Shards]int
		for i := range names {
			shard := persistence.ShardOf(fmt.Sprintf(pattern, i))
			if shard >= persistence.Shards {
				t.Fatalf("ShardOf(%q) = %d", fmt.Sprintf(pattern, i), shard)
			}
			counts[shard]++
		}
		const want = float64(names) / persistence.Shards
		sum := 0.0
		for _, count := range counts {
			sum += (float64(count) - want) * (float64(count) - want) / want
		}
		if sum > most {
			t.Errorf("%s: chi-squared of %d names over %d shards is %.0f; want at most %d", pattern, names, persistence.Shards, sum, most)
		}
	}
}
