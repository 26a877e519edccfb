package cluster

import (
	"errors"
	"strings"
	"testing"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

func operatorClient(t *testing.T, c *fakeCluster, id string) clusterpb.AdminClient {
	t.Helper()
	conn, err := Dial(credentialsOf(t, c.ca, KindOperator, "alice"), "", c.nodes[id].address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return clusterpb.NewAdminClient(conn)
}

func TestRaiseLevelAsksEveryMember(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2", "n3")
	client := operatorClient(t, c, "n1")
	raise := func() error {
		_, err := client.RaiseLevel(testContext(t), &clusterpb.RaiseLevelRequest{})
		return ErrorFromStatus(err)
	}
	refused := func(what, because string) {
		t.Helper()
		found, err := client.Features(testContext(t), &clusterpb.FeaturesRequest{})
		if err != nil || found.GetCanRaiseTo() != 1 || !strings.Contains(strings.Join(found.GetObstacles(), " "), because) {
			t.Errorf("%s: features %v, %v", what, found, err)
		}
		if err := raise(); !errors.Is(err, registry.CodeFeatureLevel) || !strings.Contains(err.Error(), because) {
			t.Errorf("%s: %v", what, err)
		}
		if len(c.group.applied) > 0 {
			t.Errorf("%s: something was proposed: %v", what, c.group.applied)
		}
	}
	c.nodes["n2"].server.maxLevel = 1 // before any call: an older program
	refused("an older program", "node n2 runs")
	c.nodes["n2"].server.maxLevel = registry.MaxFeatureLevel
	c.rafts["n1"].servers = append(c.rafts["n1"].servers, raftnode.Server{ID: "n4", Address: "127.0.0.1:1", Suffrage: raftnode.Nonvoter})
	refused("a node that Raft has and the state has not", "n4 is in the Raft configuration but no member")
	c.rafts["n1"].servers = c.rafts["n1"].servers[:3]
	if err := raise(); err != nil || len(c.group.applied) != 1 {
		t.Errorf("with all: %v, applied %v", err, c.group.applied)
	}
	clear(c.group.applied)
	c.nodes["n3"].stop()
	refused("a node that is down", "node n3 does not answer")
	if _, err := client.RaiseLevel(testContext(t), &clusterpb.RaiseLevelRequest{Level: 1}); err != nil {
		t.Errorf("to the level that it has: %v", err)
	}
}

func TestCommandsAboveTheLevelAreNotForwarded(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	c.rafts["n2"].level = &registry.Error{Code: registry.CodeFeatureLevel, Reason: "too new"}
	if _, err := c.nodes["n2"].forwarder.Propose(testContext(t), registrarCommand()); !errors.Is(err, registry.CodeFeatureLevel) {
		t.Errorf("forwarded: %v", err)
	}
	if len(c.group.applied) > 0 {
		t.Errorf("applied %v", c.group.applied)
	}
}

func TestJoinTellsTheLevelOfTheProgramWhereThatCanBeTold(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1")
	joining := credentialsOf(t, c.ca, KindNode, "n9")
	conn, err := Dial(joining, "", c.nodes["n1"].address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	join := func() *fsmpb.Node {
		_, _ = clusterpb.NewPeerClient(conn).Join(testContext(t), &clusterpb.JoinRequest{Token: "t", MaxFeatureLevel: 7,
			Node: &fsmpb.Node{Id: "n9", RaftAddress: "127.0.0.1:2", GrpcAddress: "127.0.0.1:3"}}) // the fake state knows no tokens
		c.group.mu.Lock()
		defer c.group.mu.Unlock()
		return c.group.last.GetNodeJoin().GetNode()
	}
	if got := join(); got.GetMaxFeatureLevel() != 0 {
		t.Errorf("at level 1 the field was used: %v", got)
	}
	err = c.nodes["n1"].store.Update(func(tx *store.Tx) error {
		tx.SetFeatureLevel(2)
		tx.Keep()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := join(); got.GetMaxFeatureLevel() != 7 {
		t.Errorf("at level 2: %v", got)
	}
}
