package oracle_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/benchmarks/oracle"
)

type message struct {
	conversation uint32
	seq          uint64
	second       int64
}

func tell(t *testing.T, expireAfter time.Duration, messages ...message) *oracle.Oracle {
	t.Helper()
	o, err := oracle.New(expireAfter)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		o.Message(m.conversation, m.seq, m.second)
	}
	return o
}

func TestAGapOfExpireAfterBeginsTheNextGeneration(t *testing.T) {
	for name, test := range map[string]struct {
		expireAfter time.Duration
		seconds     []int64
		want        []oracle.Generation
	}{
		"one message":          {10 * time.Second, []int64{100}, []oracle.Generation{{1, 1, 1, 100}}},
		"same second":          {10 * time.Second, []int64{100, 100}, []oracle.Generation{{1, 1, 2, 100}}},
		"gap a second shorter": {10 * time.Second, []int64{100, 109}, []oracle.Generation{{1, 1, 2, 109}}},
		"gap exactly equal":    {10 * time.Second, []int64{100, 110}, []oracle.Generation{{1, 1, 1, 100}, {2, 2, 2, 110}}},
		"gap a second longer":  {10 * time.Second, []int64{100, 111}, []oracle.Generation{{1, 1, 1, 100}, {2, 2, 2, 111}}},
		"a microsecond more":   {10*time.Second + time.Microsecond, []int64{100, 110}, []oracle.Generation{{1, 1, 2, 110}}},
		"a microsecond less":   {10*time.Second - time.Microsecond, []int64{100, 110}, []oracle.Generation{{1, 1, 1, 100}, {2, 2, 2, 110}}},
		"activity extends":     {10 * time.Second, []int64{100, 109, 118, 127}, []oracle.Generation{{1, 1, 4, 127}}},
		"three lives":          {10 * time.Second, []int64{100, 105, 115, 200, 201}, []oracle.Generation{{1, 1, 2, 105}, {2, 3, 3, 115}, {3, 4, 5, 201}}},
		"longest retention":    {1<<63 - 1 - (1<<63-1)%1000, []int64{1, 253402300799}, []oracle.Generation{{1, 1, 1, 1}, {2, 2, 2, 253402300799}}},
	} {
		t.Run(name, func(t *testing.T) {
			var messages []message
			for i, second := range test.seconds {
				messages = append(messages, message{7, uint64(i + 1), second})
			}
			o := tell(t, test.expireAfter, messages...)
			if diff := cmp.Diff(test.want, o.Lives(7)); diff != "" {
				t.Errorf("generations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAGenerationHasExpiredFromItsEndOn(t *testing.T) {
	for last, want := range map[int64]oracle.Totals{
		109: {Messages: 2, Conversations: 2, Generations: 2, Expired: 0, Alive: 2},
		110: {Messages: 2, Conversations: 2, Generations: 2, Expired: 1, Alive: 1},
		111: {Messages: 2, Conversations: 2, Generations: 2, Expired: 1, Alive: 1},
	} {
		o := tell(t, 10*time.Second, message{1, 1, 100}, message{2, 1, last})
		if diff := cmp.Diff(want, o.Totals()); diff != "" {
			t.Errorf("last message at %d (-want +got):\n%s", last, diff)
		}
		if end := o.End(o.Lives(1)[0]); !end.Equal(time.Unix(110, 0)) {
			t.Errorf("ends at %v, want second 110", end)
		}
	}
}

func TestConversationsDoNotTouchEachOther(t *testing.T) {
	o := tell(t, 10*time.Second,
		message{1, 1, 100}, message{2, 1, 101}, message{1, 2, 109}, message{2, 2, 111}, message{1, 3, 118})
	want := map[uint32][]oracle.Generation{
		1: {{1, 1, 3, 118}},
		2: {{1, 1, 1, 101}, {2, 2, 2, 111}},
	}
	for conversation, lives := range want {
		if diff := cmp.Diff(lives, o.Lives(conversation)); diff != "" {
			t.Errorf("conversation %d (-want +got):\n%s", conversation, diff)
		}
	}
	if got := slices.Sorted(o.Conversations); !slices.Equal(got, []uint32{1, 2}) {
		t.Errorf("conversations %v, want 1 and 2", got)
	}
}

func TestARetentionThatNobodyCanKeepIsRefused(t *testing.T) {
	for _, expireAfter := range []time.Duration{0, -time.Second, 1500 * time.Nanosecond} {
		if _, err := oracle.New(expireAfter); err == nil {
			t.Errorf("%v was taken", expireAfter)
		}
	}
}
