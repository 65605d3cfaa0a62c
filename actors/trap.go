package actors

// trap lets tests make a conversation fail at places where nothing else could. It is empty otherwise.
type trap struct {
	memory      func() memoryUse // instead of the process's
	onApply     func(p *Proposal)
	onLifecycle func(message any)
	onJudge     func(name string)
	onForget    func(name string)
}

func (t *trap) apply(p *Proposal) {
	if t.onApply != nil {
		t.onApply(p)
	}
}

func (t *trap) judge(name string) {
	if t.onJudge != nil {
		t.onJudge(name)
	}
}

func (t *trap) forget(name string) {
	if t.onForget != nil {
		t.onForget(name)
	}
}

// lifecycle keeps a panic from getting out: protoactor would never report the end of an actor that panics while it stops.
func (t *trap) lifecycle(message any) (failed any) {
	if t.onLifecycle == nil {
		return nil
	}
	defer func() { failed = recover() }()
	t.onLifecycle(message)
	return nil
}
