package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
)

func TestAPolicyReportsAllItsFaults(t *testing.T) {
	for _, good := range []conversation.Policy{{}, {ExpireAfter: time.Millisecond, MaxSeqJump: 1 << 62}, {ExpireAfter: 1 << 62}} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, name := range []string{"ExpireAfter", "ExpireIdle", "ExpireAge", "ExpireJitter"} {
		bad := conversation.Policy{ExpireAfter: -1, ExpireIdle: time.Microsecond, ExpireAge: -1, ExpireJitter: -1}
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), name+":") {
			t.Errorf("%+v: got %v, want a fault of %s", bad, err, name)
		}
	}
	for _, expireAfter := range []time.Duration{-1, time.Millisecond - 1} {
		err := conversation.Policy{ExpireAfter: expireAfter, MaxSeqJump: 1<<62 + 1}.Validate()
		if err == nil || !strings.Contains(err.Error(), "ExpireAfter") || !strings.Contains(err.Error(), "MaxSeqJump") {
			t.Errorf("expire after %v: got %v, want both faults", expireAfter, err)
		}
	}
}
