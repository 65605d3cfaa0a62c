package persistence

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// MaxName is the longest name of a conversation or a user, in bytes.
const MaxName = 255

// What can be wrong with a name. The texts are meant to follow the name of a field.
var (
	ErrNameEmpty       = errors.New("must not be empty")
	ErrNameTooLong     = errors.New("must be at most 255 bytes")
	ErrNameNUL         = errors.New("must not contain a NUL byte")
	ErrNameNotUTF8     = errors.New("must be valid UTF-8")
	ErrNameNoNamespace = errors.New(`must be "namespace:name", with both parts`)
)

// CheckUser reports why name cannot name a user: it takes 1 to [MaxName] bytes of UTF-8 without NUL.
func CheckUser(name string) error {
	switch {
	case name == "":
		return ErrNameEmpty
	case len(name) > MaxName:
		return ErrNameTooLong
	case strings.IndexByte(name, 0) >= 0:
		return ErrNameNUL
	case !utf8.ValidString(name):
		return ErrNameNotUTF8
	}
	return nil
}

// CheckConversation reports why name cannot name a conversation: it must be a good name as [CheckUser] has it, and "namespace:name" with
// neither part empty. The namespace ends at the first colon.
func CheckConversation(name string) error {
	if err := CheckUser(name); err != nil {
		return err
	}
	if colon := strings.IndexByte(name, ':'); colon < 1 || colon == len(name)-1 {
		return ErrNameNoNamespace
	}
	return nil
}

// Namespace returns the part of a conversation's name before its first colon.
func Namespace(conversation string) string {
	namespace, _, _ := strings.Cut(conversation, ":")
	return namespace
}
