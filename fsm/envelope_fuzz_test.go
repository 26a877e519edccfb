package fsm

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"cadastre/fsm/fsmpb"
)

// sampleCommands returns a command of every kind, with a value in every field.
func sampleCommands() []*fsmpb.Command {
	var commands []*fsmpb.Command
	bodies := (&fsmpb.Command{}).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields()
	for i := range bodies.Len() {
		command := &fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: "reg-a"}, Cltrid: "ABC-1"}
		body := command.ProtoReflect().Mutable(bodies.Get(i)).Message()
		fill(body, 0)
		commands = append(commands, command)
	}
	return commands
}

// maxSampleDepth ends messages that hold messages of their own kind.
const maxSampleDepth = 4

func fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.Message() != nil && depth == maxSampleDepth {
			continue
		}
		switch {
		case field.IsList() && field.Message() != nil:
			fill(m.Mutable(field).List().AppendMutable().Message(), depth+1)
		case field.IsList():
			m.Mutable(field).List().Append(sampleValue(field))
		case field.Message() != nil:
			fill(m.Mutable(field).Message(), depth+1)
		default:
			m.Set(field, sampleValue(field))
		}
	}
}

func sampleValue(field protoreflect.FieldDescriptor) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("one.example")
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{192, 0, 2, 1})
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(1)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(1)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(1)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	default:
		return field.Default()
	}
}

// FuzzDecodeEnvelope reads entries of any content as a node does that applies them: what is not an envelope halts the node
// with a reason, every command of one that is gets the same verdict each time, and decoding loses nothing.
func FuzzDecodeEnvelope(f *testing.F) {
	all := &fsmpb.Envelope{FormatVersion: FormatVersion, LeaderTimeMs: 1}
	for _, command := range sampleCommands() {
		one := &fsmpb.Envelope{FormatVersion: FormatVersion, LeaderTimeMs: 1, Commands: []*fsmpb.Command{command}}
		data, err := proto.Marshal(one)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		all.Commands = append(all.Commands, command)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		envelope, halt := decodeOrHalt(data)
		if halt != nil {
			if halt.Reason == "" {
				t.Error("a node halts without saying why")
			}
			return
		}
		again, err := proto.Marshal(envelope)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		second, halt := decodeOrHalt(again)
		if halt != nil || !proto.Equal(envelope, second) {
			t.Errorf("decoding lost something: halt %v", halt)
		}
		for i, command := range envelope.GetCommands() {
			first := Validate(command)
			if other := Validate(second.GetCommands()[i]); (first == nil) != (other == nil) {
				t.Errorf("one command, two verdicts: %v and %v", first, other)
			}
		}
	})
}

func decodeOrHalt(data []byte) (envelope *fsmpb.Envelope, halt *Halt) {
	defer func() {
		if r := recover(); r != nil {
			var ok bool
			if halt, ok = r.(*Halt); !ok {
				panic(r)
			}
		}
	}()
	return decodeEnvelope(&Entry{Index: 1, Data: data}), nil
}
