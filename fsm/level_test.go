package fsm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

func TestRequiredLevel(t *testing.T) {
	levels, err := fsm.NewLevels()
	if err != nil {
		t.Fatal(err)
	}
	operator := &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"}
	join := func(node *fsmpb.Node) *fsmpb.Command {
		return &fsmpb.Command{Actor: operator, Body: &fsmpb.Command_NodeJoin{NodeJoin: &fsmpb.NodeJoin{TokenSha256: []byte{1}, Node: node}}}
	}
	unknown := &fsmpb.Command{Actor: operator}
	unknown.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 4711, protowire.VarintType), 1))
	for name, tt := range map[string]struct {
		command *fsmpb.Command
		want    uint32
	}{
		"first commands": {join(&fsmpb.Node{Id: "n1", Role: 1, RaftAddress: "a:1", GrpcAddress: "a:2"}), 1},
		"a list of messages": {&fsmpb.Command{Body: &fsmpb.Command_ZonePublish{ZonePublish: &fsmpb.ZonePublish{
			Changes: []*fsmpb.OwnerChange{{Owner: "a.example"}}}}}, 1},
		"a new field deep inside": {join(&fsmpb.Node{Id: "n1", MaxFeatureLevel: 2}), 2},
		"a new command":           {&fsmpb.Command{Body: &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: 2}}}, 2},
		"from the future":         {unknown, registry.MaxFeatureLevel},
	} {
		if got := levels.Required(tt.command); got != tt.want {
			t.Errorf("%s: level %d, want %d", name, got, tt.want)
		}
	}
	err = levels.CheckLevel(join(&fsmpb.Node{Id: "n1", MaxFeatureLevel: 2}), 1)
	if !errors.Is(err, registry.CodeFeatureLevel) || !strings.Contains(err.Error(), "raise-level") {
		t.Errorf("above the level: %v", err)
	}
}

func TestFeatureLevelOfAState(t *testing.T) {
	w := newWorld(t)
	level := func() (level uint32) {
		if err := w.store.View(func(tx *store.ReadTx) error { level = tx.FeatureLevel(); return nil }); err != nil {
			t.Fatal(err)
		}
		return level
	}
	apply := func(command *fsmpb.Command) error { return fsm.ResultError(w.apply(command)) }
	operator := &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"}
	raise := func(to uint32, ids ...string) *fsmpb.Command {
		return &fsmpb.Command{Actor: operator, Body: &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: to, NodeIds: ids}}}
	}
	system := &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "cluster"}
	if err := apply(&fsmpb.Command{Actor: system, Body: &fsmpb.Command_ClusterInit{ClusterInit: &fsmpb.ClusterInit{
		ClusterId: "7b0c5a70-0000-4000-8000-000000000001", ClockMode: 1,
		FirstNode: &fsmpb.Node{Id: "n1", Role: 1, RaftAddress: "a:9", GrpcAddress: "a:8"}}}}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	_ = w.store.View(func(tx *store.ReadTx) error {
		for _, n := range tx.Nodes() {
			ids = append(ids, n.ID)
		}
		return nil
	})
	if level() != 1 {
		t.Fatalf("the state begins at level %d", level())
	}
	if err := apply(raise(2, append(ids, "n9")...)); !errors.Is(err, registry.CodeConflict) || level() != 1 {
		t.Errorf("raise with other members: %v, level %d", err, level())
	}
	for range 2 { // the second time it is done already
		if err := apply(raise(2, ids...)); err != nil || level() != 2 {
			t.Errorf("raise: %v, level %d", err, level())
		}
	}
	if err := apply(raise(1, ids...)); err != nil || level() != 2 {
		t.Errorf("raise to a lower level: %v, level %d", err, level())
	}
	old := &fsmpb.Command{Actor: system, Body: &fsmpb.Command_NodeJoin{NodeJoin: &fsmpb.NodeJoin{
		TokenSha256: make([]byte, 32), Node: &fsmpb.Node{Id: "n7", RaftAddress: "a:1", GrpcAddress: "a:2"}}}}
	if err := apply(old); !errors.Is(err, registry.CodeFeatureLevel) {
		t.Errorf("an old program joins: %v", err)
	}
	defer func() {
		halt, ok := recover().(*fsm.Halt)
		if !ok || !strings.Contains(halt.Error(), fmt.Sprintf("feature level %d", registry.MaxFeatureLevel+1)) {
			t.Errorf("a level beyond this program: %v", halt)
		}
	}()
	_ = apply(raise(registry.MaxFeatureLevel+1, ids...))
}
