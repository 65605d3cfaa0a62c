package conversation

import (
	"bytes"
	"time"

	"github.com/parley-im/parley/persistence"
)

func (a *applier) set(s *Set) error {
	m, err := a.member("set", s.User, 0)
	if err != nil || a.outdated(m.Revision) {
		return err
	}
	a.revise(s.User, m.Revision)
	if s.Pin != nil && *s.Pin != m.Pin {
		a.pin(s.User, *s.Pin)
	}
	if s.MutedUntil != nil {
		a.mute(s.User, *s.MutedUntil)
	}
	if s.Hide != nil {
		a.hide(s.User, *s.Hide)
	}
	if s.Tags != nil && *s.Tags != m.Tags {
		a.touch(s.User).Tags = *s.Tags
	}
	if s.Custom != nil && !bytes.Equal(s.Custom, m.Custom) {
		a.touch(s.User).Custom = append([]byte(nil), s.Custom...) // none at all, where it is empty, as a row has it
	}
	if s.Draft != nil {
		a.draft(s.User, s.Draft)
	}
	return nil
}

func (a *applier) mute(user string, until time.Time) {
	var instant persistence.Instant
	if until.After(time.UnixMicro(0)) { // times far before the epoch do not fit into an Instant
		instant = persistence.InstantOf(until)
	}
	if instant != a.members.get(user).MutedUntil {
		a.touch(user).MutedUntil = instant
	}
}

// pin moves a member's pin, and with it the count in the head, whose version does not stand for that.
func (a *applier) pin(user string, pin uint64) {
	m := a.touch(user)
	if !m.Left && (pin != 0) != (m.Pin != 0) {
		a.headTouched = true
		if pin != 0 {
			a.head.Pins++
		} else {
			a.head.Pins--
		}
	}
	m.Pin = pin
}

func (a *applier) hide(user string, hide persistence.Hide) {
	m := a.members.get(user)
	if hide == hiding(&a.head, m) {
		return
	}
	m = a.touch(user)
	m.Hide, m.HiddenAt = hide, 0
	if hide == persistence.HideUntilMessage {
		m.HiddenAt = a.head.LoudSeq
	}
}

// draft keeps the newest edit. An emptied draft is kept as well, so that an older one which comes later does not bring it back.
func (a *applier) draft(user string, d *Draft) {
	edited := a.now
	if !d.EditedAt.IsZero() {
		edited = min(a.now, persistence.InstantOf(d.EditedAt))
	}
	old := a.members.get(user).Draft
	if old != nil && edited <= old.EditedAt {
		return
	}
	a.touch(user).Draft = &persistence.Draft{Text: d.Text, EditedAt: edited}
}
