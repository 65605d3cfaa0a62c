package server

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// protobuf refuses a string that is not UTF-8 without saying which. These functions look again, once a message was refused.

// notUTF8InBinary returns the path of the first string that is not UTF-8 in an encoded message, such as "requests[3].post.sender", or "" if there
// is none before the encoding breaks off.
func notUTF8InBinary(message protoreflect.MessageDescriptor, data []byte) string {
	items := map[protowire.Number]int{}
	for len(data) > 0 {
		number, wireType, n := protowire.ConsumeTag(data)
		if n < 0 {
			return ""
		}
		data = data[n:]
		field := message.Fields().ByNumber(number)
		if field == nil || wireType != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, wireType, data); n < 0 {
				return ""
			}
			data = data[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return ""
		}
		data = data[n:]
		path := string(field.Name())
		if field.IsList() {
			path = fmt.Sprintf("%s[%d]", path, items[number])
			items[number]++
		}
		switch field.Kind() {
		case protoreflect.StringKind:
			if !utf8.Valid(value) {
				return path
			}
		case protoreflect.MessageKind:
			if inner := notUTF8InBinary(field.Message(), value); inner != "" {
				return path + "." + inner
			}
		default:
		}
	}
	return ""
}

// stain stands for what is not UTF-8 in a JSON text: two code points that Unicode keeps for a program's own use.
const stain = "\uFDD0\uFDEF"

// notUTF8InJSON returns the path of a string that is not UTF-8 in a JSON text of the message's type, or "body" where the text is no such message
// anyway.
func notUTF8InJSON(data []byte, message proto.Message) string {
	stained := message.ProtoReflect().New()
	if err := protojson.Unmarshal(bytes.ToValidUTF8(data, []byte(stain)), stained.Interface()); err != nil {
		return "body"
	}
	found := "body"
	_ = protorange.Range(stained, func(v protopath.Values) error { // its only error is the one that ends it
		if s, ok := v.Index(-1).Value.Interface().(string); ok && strings.Contains(s, stain) {
			found = strings.TrimPrefix(v.Path[1:].String(), ".")
			return protorange.Terminate
		}
		return nil
	})
	return found
}
