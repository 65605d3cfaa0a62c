package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// decodeJSON reads a JSON text, numbers as they are written.
func decodeJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// fill replaces the symbols and the macros in a decoded JSON text.
func fill(value any, symbol func(name string) (string, error)) (any, error) {
	switch v := value.(type) {
	case string:
		if strings.HasPrefix(v, "$") {
			return symbol(v)
		}
	case []any:
		filled := make([]any, len(v))
		for i := range v {
			var err error
			if filled[i], err = fill(v[i], symbol); err != nil {
				return nil, err
			}
		}
		return filled, nil
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if strings.HasPrefix(name, "$") {
					return expand(name, argument)
				}
			}
		}
		filled := make(map[string]any, len(v))
		for name, member := range v {
			var err error
			if filled[name], err = fill(member, symbol); err != nil {
				return nil, err
			}
		}
		return filled, nil
	}
	return value, nil
}

// expand writes out what would be too long to read in a vector.
func expand(macro string, argument any) (any, error) {
	text, isText := "", macro == "$text"
	if parts, ok := argument.([]any); ok && isText && len(parts) == 2 {
		text, _ = parts[0].(string)
		argument = parts[1]
	}
	number, ok := argument.(json.Number)
	n, err := number.Int64()
	if !ok || err != nil || (isText && text == "") {
		return nil, fmt.Errorf("%s of %v", macro, argument)
	}
	switch macro {
	case "$text":
		return strings.Repeat(text, int(n)), nil
	case "$bytes":
		return base64.StdEncoding.EncodeToString(make([]byte, n)), nil
	case "$users":
		users := make([]any, n)
		for i := range users {
			users[i] = fmt.Sprintf("user%04d", i+1)
		}
		return users, nil
	}
	return nil, fmt.Errorf("there is no %s", macro)
}

// plainJSON returns a message as decoded JSON, with every field that it could have: those that are not there are zero, empty or null.
func plainJSON(message proto.Message) (any, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(message)
	if err != nil {
		return nil, err
	}
	return decodeJSON(text)
}

// normal writes some fields of a message as plainJSON does. It fails for a field that the message does not have, and for one whose name is not as
// api.proto has it.
func normal(fields any, like proto.Message) (any, error) {
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	message := like.ProtoReflect().New().Interface()
	if err := protojson.Unmarshal(text, message); err != nil {
		return nil, err
	}
	whole, err := plainJSON(message)
	if err != nil {
		return nil, err
	}
	return only(fields, whole)
}

// only keeps of a whole the fields that are mentioned.
func only(mentioned, whole any) (any, error) {
	switch m := mentioned.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		if !ok {
			return whole, nil
		}
		kept := make(map[string]any, len(m))
		for name := range m {
			value, ok := w[name]
			if !ok {
				return nil, fmt.Errorf("there is no field %q: names are written as in api.proto", name)
			}
			var err error
			if kept[name], err = only(m[name], value); err != nil {
				return nil, err
			}
		}
		return kept, nil
	case []any:
		w, ok := whole.([]any)
		if !ok || len(w) != len(m) {
			return whole, nil
		}
		kept := make([]any, len(m))
		for i := range m {
			var err error
			if kept[i], err = only(m[i], w[i]); err != nil {
				return nil, err
			}
		}
		return kept, nil
	}
	return whole, nil
}
