package persistence_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/parley-im/parley/persistence"
)

func TestNamesAreOneTo255BytesOfUTF8WithoutNUL(t *testing.T) {
	for name, want := range map[string]error{
		"a":                               nil,
		"lx:a/b c":                        nil,
		"\x01":                            nil,
		"語":                               nil,
		"\U0010ffff":                      nil,
		strings.Repeat("a", 255):          nil,
		strings.Repeat("語", 85):           nil,
		"":                                persistence.ErrNameEmpty,
		strings.Repeat("a", 256):          persistence.ErrNameTooLong,
		strings.Repeat("語", 86):           persistence.ErrNameTooLong,
		"\x00":                            persistence.ErrNameNUL,
		"a\x00":                           persistence.ErrNameNUL,
		"\x00a":                           persistence.ErrNameNUL,
		"\xff":                            persistence.ErrNameNotUTF8,
		"a\xe8\xaa":                       persistence.ErrNameNotUTF8,
		"\xed\xa0\x80":                    persistence.ErrNameNotUTF8, // a surrogate
		"\xc0\x80":                        persistence.ErrNameNotUTF8, // NUL, overlong
		strings.Repeat("a", 256) + "\x00": persistence.ErrNameTooLong,
		strings.Repeat("\xff", 255):       persistence.ErrNameNotUTF8,
		strings.Repeat("a", 254) + "\x00": persistence.ErrNameNUL,
		"\xff\x00":                        persistence.ErrNameNUL,
	} {
		if got := persistence.CheckUser(name); !errors.Is(got, want) {
			t.Errorf("CheckUser(%q) = %v; want %v", name, got, want)
		}
		if got := persistence.CheckConversation(name); want != nil && !errors.Is(got, want) {
			t.Errorf("CheckConversation(%q) = %v; want %v", name, got, want)
		}
	}
}

func TestConversationsHaveANamespace(t *testing.T) {
	for name, want := range map[string]error{
		"lx:a":                           nil,
		"a:b":                            nil,
		"lx:a:b":                         nil,
		"lx::":                           nil,
		"lx: a":                          nil,
		"lx:" + strings.Repeat("a", 252): nil,
		"lx":                             persistence.ErrNameNoNamespace,
		"lx:":                            persistence.ErrNameNoNamespace,
		":a":                             persistence.ErrNameNoNamespace,
		":":                              persistence.ErrNameNoNamespace,
		"::":                             persistence.ErrNameNoNamespace,
		"":                               persistence.ErrNameEmpty,
		"lx:" + strings.Repeat("a", 253): persistence.ErrNameTooLong,
		"lx:a\x00":                       persistence.ErrNameNUL,
		"lx:\xff":                        persistence.ErrNameNotUTF8,
	} {
		if got := persistence.CheckConversation(name); !errors.Is(got, want) {
			t.Errorf("CheckConversation(%q) = %v; want %v", name, got, want)
		}
	}
}

func TestTheNamespaceEndsAtTheFirstColon(t *testing.T) {
	for name, want := range map[string]string{"lx:a": "lx", "lx:a:b": "lx", "lx::": "lx", "l/x:a": "l/x", "lx": "lx"} {
		if got := persistence.Namespace(name); got != want {
			t.Errorf("Namespace(%q) = %q; want %q", name, got, want)
		}
	}
}
