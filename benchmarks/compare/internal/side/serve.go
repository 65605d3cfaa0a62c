package side

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// order is what the parent writes: first the params, then one for each round.
type order struct {
	Params *Params `json:"params,omitempty"`
}

// answer is what the child writes: once it is ready, and after each round.
type answer struct {
	Figures Figures `json:"figures,omitempty"`
	Err     string  `json:"error,omitempty"`
}

// Serve is a child: it opens the side that is called name with the params it reads from in, measures a round for each further line, and closes
// the side at the end of in. Errors are told to the parent, and returned.
func Serve(ctx context.Context, openers map[string]Opener, name string, in io.Reader, out io.Writer) (err error) {
	orders, answers := json.NewDecoder(in), json.NewEncoder(out)
	var first order
	if err := orders.Decode(&first); err != nil || first.Params == nil {
		return fmt.Errorf("side: no params were given: %w", err)
	}
	s, err := Local(openers)(ctx, name, *first.Params)
	if err != nil {
		return errors.Join(err, answers.Encode(answer{Err: err.Error()}))
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := answers.Encode(answer{}); err != nil {
		return fmt.Errorf("side: %w", err)
	}
	for {
		var next order
		switch err := orders.Decode(&next); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("side: %w", err)
		}
		figures, err := s.Round(ctx)
		if err != nil {
			return errors.Join(err, answers.Encode(answer{Err: err.Error()}))
		}
		if err := answers.Encode(answer{Figures: figures}); err != nil {
			return fmt.Errorf("side: %w", err)
		}
	}
}
