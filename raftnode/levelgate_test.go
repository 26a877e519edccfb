package raftnode

import (
	"errors"
	"testing"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func TestCommandsAboveTheLevelAreNotProposed(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit()) // of an old program: level 1
	newer := &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "cluster"},
		Body: &fsmpb.Command_NodeJoin{NodeJoin: &fsmpb.NodeJoin{TokenSha256: make([]byte, 32),
			Node: &fsmpb.Node{Id: "n2", RaftAddress: "127.0.0.1:1", GrpcAddress: "127.0.0.1:2", MaxFeatureLevel: 2}}},
	}
	before := n.node.AppliedIndex()
	for range 2 {
		if _, err := n.node.Propose(testContext(t), newer); !errors.Is(err, registry.CodeFeatureLevel) {
			t.Fatalf("at level 1: %v", err)
		}
	}
	if after := n.node.AppliedIndex(); after != before {
		t.Errorf("the log grew from %d to %d", before, after)
	}
	n.propose(t, &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"},
		Body:  &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: 2, NodeIds: []string{"n1"}}},
	})
	result, err := n.node.Propose(testContext(t), newer)
	if err != nil || registry.Code(result.GetCode()) != registry.CodeAuthorization { // there is no such token
		t.Errorf("at level 2: %v, %v", result, err)
	}
}
