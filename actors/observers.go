package actors

// Observers returns an observer that tells all of those given, in their order. Any may be nil. A func that none of them has is nil, so that nothing is spent on it.
func Observers(all ...*Observer) *Observer {
	joined := &Observer{}
	for _, o := range all {
		if o == nil {
			continue
		}
		join(&joined.Expired, o.Expired)
		join(&joined.ReapBegin, o.ReapBegin)
		join(&joined.ReapEnd, o.ReapEnd)
		join(&joined.Paced, o.Paced)
		join(&joined.ForgetBegin, o.ForgetBegin)
		join(&joined.ForgetEnd, o.ForgetEnd)
		join(&joined.FlushBegin, o.FlushBegin)
		join(&joined.FlushEnd, o.FlushEnd)
		join(&joined.Proposed, o.Proposed)
		join(&joined.Read, o.Read)
		join(&joined.Bounded, o.Bounded)
		join(&joined.Failed, o.Failed)
		join(&joined.Unanswered, o.Unanswered)
		join(&joined.StopBegin, o.StopBegin)
		join(&joined.StopEnd, o.StopEnd)
	}
	return joined
}

// join has a func called after the one that is there, if one is.
func join[T any](to *func(T), next func(T)) {
	first := *to
	switch {
	case next == nil:
	case first == nil:
		*to = next
	default:
		*to = func(info T) {
			first(info)
			next(info)
		}
	}
}
