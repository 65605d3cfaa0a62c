package main

import "context"

// forgetDir forgets in a store's directory.
type forgetDir struct{ *local }

func (d forgetDir) forget(ctx context.Context, user string) (uint64, error) {
	remaining, err := d.engine.ForgetUser(ctx, user)
	return remaining, refusedLocally(err)
}

func (d forgetDir) forgetting(ctx context.Context, user string) (uint64, error) {
	remaining, err := d.engine.Forgetting(ctx, user)
	return remaining, refusedLocally(err)
}
