package persistencetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// Traces returns the keys of all rows that name a user, in their order, but for removals and events, which are kept for a time whatever becomes of the user: after
// a user was forgotten and until they take part in something again, none. It reads the whole store.
func Traces(ctx context.Context, snapshot persistence.Snapshot, user string) (keys [][]byte, err error) {
	for row, err := range snapshot.Scan(ctx, persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			return nil, err
		}
		named, err := names(row, user)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", row.Key, err)
		}
		if named {
			keys = append(keys, bytes.Clone(row.Key))
		}
	}
	return keys, nil
}

// names reports whether a row names a user.
func names(row persistence.Row, user string) (bool, error) {
	switch persistence.KindOf(row.Key) {
	case persistence.KindHead:
		head, _, err := persistence.DecodeHead(row.Value)
		return head != nil && (head.LastSender == user || head.Witness == user), err
	case persistence.KindTail:
		tail, err := persistence.DecodeTail(row.Value)
		return err == nil && slices.Contains(sendersOf(tail), user), err
	case persistence.KindRoster:
		roster, err := persistence.DecodeRoster(row.Value)
		return err == nil && slices.Contains(roster.Users, user), err
	case persistence.KindDue:
		due, err := persistence.DecodeDue(row.Value)
		return err == nil && due.Ended != nil && slices.Contains(due.Ended.Users, user), err
	case persistence.KindMember:
		_, of, err := persistence.ParseMemberKey(row.Key)
		return of == user, err
	case persistence.KindMembership:
		of, _, err := persistence.ParseMembershipKey(row.Key)
		return of == user, err
	case persistence.KindEntry:
		of, _, _, _, err := persistence.ParseEntryKey(row.Key)
		return of == user, err
	case persistence.KindOrder:
		of, err := persistence.ParseOrderKey(row.Key)
		return of == user, err
	case persistence.KindUnknown, persistence.KindRemoval, persistence.KindEvent, persistence.KindLineage,
		persistence.KindGrave, persistence.KindSweep, persistence.KindOwner, persistence.KindStore:
	}
	return false, nil
}
