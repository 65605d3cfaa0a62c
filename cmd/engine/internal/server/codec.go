package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

// binaryCodec reads and writes protobuf's binary form. Unknown fields are ignored.
type binaryCodec struct{}

// Name implements [connect.Codec].
func (binaryCodec) Name() string { return "proto" }

// Marshal implements [connect.Codec].
func (c binaryCodec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

// MarshalAppend lets Connect reuse its buffers.
func (binaryCodec) MarshalAppend(b []byte, message any) ([]byte, error) {
	m, err := protoMessage(message)
	if err != nil {
		return nil, err
	}
	return proto.MarshalOptions{}.MarshalAppend(b, m)
}

// Unmarshal implements [connect.Codec]. It leaves a fault of the sender's in the message; see [setFault].
func (binaryCodec) Unmarshal(data []byte, message any) error {
	m, err := protoMessage(message)
	if err != nil {
		return err
	}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, m); err != nil {
		if field := notUTF8InBinary(m.ProtoReflect().Descriptor(), data); field != "" {
			setFault(m, notUTF8(field))
		} else {
			setFault(m, fault("body", "is not a protobuf message: "+plain(err)))
		}
	}
	return nil
}

// jsonCodec reads and writes protobuf's JSON form. An unknown field is refused by its name; fields that are zero are written all the same, so
// that a person at a terminal sees them.
type jsonCodec struct{ name string }

// Name implements [connect.Codec].
func (c jsonCodec) Name() string { return c.name }

// Marshal implements [connect.Codec]. It writes no spaces: protojson's are there or not from one build to the next.
func (jsonCodec) Marshal(message any) ([]byte, error) {
	m, err := protoMessage(message)
	if err != nil {
		return nil, err
	}
	encoded, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	compact := bytes.NewBuffer(make([]byte, 0, len(encoded)))
	if err := json.Compact(compact, encoded); err != nil {
		return nil, err
	}
	return compact.Bytes(), nil
}

// Unmarshal implements [connect.Codec]. It leaves a fault of the sender's in the message; see [setFault].
func (jsonCodec) Unmarshal(data []byte, message any) error {
	m, err := protoMessage(message)
	if err != nil {
		return err
	}
	if err := protojson.Unmarshal(data, m); err != nil {
		setFault(m, jsonFault(data, m, err))
	}
	return nil
}

// What protojson says of a field that is not there, and of a value that does not fit one.
var (
	unknownField = regexp.MustCompile(`unknown field ("(?:[^"\\]|\\.)*")`)
	badValue     = regexp.MustCompile(`invalid value for \w+ field (\w+): (.*)`)
	upper        = regexp.MustCompile(`[A-Z]`)
)

// jsonFault says what is wrong with a JSON body. protojson has no typed errors: where its text is not as expected, it is passed on as it is.
func jsonFault(data []byte, message proto.Message, err error) *parleyv1.Error {
	if len(bytes.TrimSpace(data)) == 0 {
		return fault("body", "is empty: expected a JSON object")
	}
	if !utf8.Valid(data) {
		return notUTF8(notUTF8InJSON(data, message))
	}
	text := plain(err)
	if match := unknownField.FindStringSubmatch(text); match != nil {
		name, err := strconv.Unquote(match[1])
		if err != nil {
			name = strings.Trim(match[1], `"`)
		}
		return &parleyv1.Error{Code: parleyv1.Code_CODE_INVALID, Field: valid(name), Message: valid("unknown field " + match[1])}
	}
	if match := badValue.FindStringSubmatch(text); match != nil {
		field := upper.ReplaceAllStringFunc(match[1], func(s string) string { return "_" + strings.ToLower(s) })
		return fault(field, "cannot be "+match[2])
	}
	return fault("body", "is not the JSON that this call takes: "+text)
}

// plain returns the text of an error of protobuf's without its prefix, whose space is sometimes one that does not break.
func plain(err error) string {
	return strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
}

func fault(field, reason string) *parleyv1.Error {
	return &parleyv1.Error{Code: parleyv1.Code_CODE_INVALID, Field: valid(field), Message: valid(field + " " + reason)}
}

// notUTF8 is what the engine says of such a name.
func notUTF8(field string) *parleyv1.Error { return fault(field, persistence.ErrNameNotUTF8.Error()) }

func protoMessage(message any) (proto.Message, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("server: %T is not a protobuf message", message)
	}
	return m, nil
}
