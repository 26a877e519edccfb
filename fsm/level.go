package fsm

import (
	_ "embed" // for the languages of the earlier levels
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// level1 is the language of the log at feature level 1: command.proto as it was then, as
// protoc writes descriptors. `make freeze-level` writes that of the present level when the
// next one begins.
//
//go:embed levels/level1.binpb
var level1 []byte

// level2 is that at feature level 2.
//
//go:embed levels/level2.binpb
var level2 []byte

// level3 is that at feature level 3.
//
//go:embed levels/level3.binpb
var level3 []byte

// Levels tells which feature level a command needs. What is in none of the frozen
// languages needs the level of this program.
type Levels struct {
	frozen []protoreflect.MessageDescriptor // Command at level 1, 2, …
}

// NewLevels reads the languages of the levels before the present one.
func NewLevels() (*Levels, error) {
	levels := &Levels{}
	for i, data := range [][]byte{level1, level2, level3} {
		command, err := commandDescriptor(data)
		if err != nil {
			return nil, fmt.Errorf("read the language of feature level %d: %w", i+1, err)
		}
		levels.frozen = append(levels.frozen, command)
	}
	return levels, nil
}

func commandDescriptor(data []byte) (protoreflect.MessageDescriptor, error) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	name := (&fsmpb.Command{}).ProtoReflect().Descriptor().FullName()
	found, err := files.FindDescriptorByName(name)
	if err != nil {
		return nil, err
	}
	message, ok := found.(protoreflect.MessageDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is not a message", name)
	}
	return message, nil
}

// Required returns the lowest level at which the command may be in the log.
func (l *Levels) Required(command *fsmpb.Command) uint32 {
	for i, language := range l.frozen {
		if speaks(language, command.ProtoReflect()) {
			return uint32(i + 1)
		}
	}
	return registry.MaxFeatureLevel
}

// speaks says whether a program that knows the descriptor understands all of the message.
func speaks(known protoreflect.MessageDescriptor, message protoreflect.Message) bool {
	if len(message.GetUnknown()) > 0 {
		return false
	}
	understood := true
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		old := known.Fields().ByNumber(field.Number())
		switch {
		case old == nil || old.Kind() != field.Kind() || old.Cardinality() != field.Cardinality():
			understood = false
		case field.Message() == nil:
		case field.IsList():
			for i := 0; understood && i < value.List().Len(); i++ {
				understood = speaks(old.Message(), value.List().Get(i).Message())
			}
		case !field.IsMap(): // there are no maps: their order would not be the same everywhere
			understood = speaks(old.Message(), value.Message())
		}
		return understood
	})
	return understood
}

// CheckLevel returns an error of registry.CodeFeatureLevel if a cluster of the level must
// not be asked to do the command. The command that begins a cluster and the one that raises
// the level bring their own proof.
func (l *Levels) CheckLevel(command *fsmpb.Command, level uint32) error {
	switch command.GetBody().(type) {
	case *fsmpb.Command_ClusterInit, *fsmpb.Command_FeatureLevelRaise:
		return nil
	}
	if needed := l.Required(command); needed > level {
		return refuse(registry.CodeFeatureLevel, "command", Verb(command),
			"this needs feature level %d and the cluster is at %d: once every node runs a program that supports it, run cadastre cluster raise-level", needed, level)
	}
	return nil
}
