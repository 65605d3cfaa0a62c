package benchmarks

import (
	"bytes"
	_ "embed"
	"io"
)

//go:embed testdata/chat-every-20th.csv.gz
var excerpt []byte

// ExcerptName is what the excerpt is called in errors.
const ExcerptName = "chat-every-20th.csv.gz"

// Excerpt returns the slice of a recorded trace of chat that comes with the project, compressed: package trace reads it.
func Excerpt() io.Reader { return bytes.NewReader(excerpt) }
