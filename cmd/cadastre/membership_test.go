package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cluster"
	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
)

// requireMembers waits until the nodes named vote, the others do not, and returns the answer.
func requireVoters(t *testing.T, c *devtest.Cluster, voters ...string) (answer membersAnswer) {
	t.Helper()
	c.Eventually(40*time.Second, fmt.Sprintf("the voters %v", voters), func() error {
		answer = members(t, c)
		var votes []string
		for _, m := range answer.Members {
			if m.Votes {
				votes = append(votes, m.ID)
			}
		}
		if fmt.Sprint(votes) != fmt.Sprint(voters) || answer.Leader == "" {
			return fmt.Errorf("%v vote, %q leads", votes, answer.Leader)
		}
		return nil
	})
	return answer
}

func TestRoles(t *testing.T) {
	c := devtest.Start(t, program(t), "--nodes", "3", "--replicas", "1")
	c.MustCLI("cluster", "transfer-leader", "n1")
	c.Eventually(10*time.Second, "n1 leads", func() error { return errUnlessLeads(members(t, c), "n1") })
	load := startLoad(t, c.Info(), "n1", "n2", "n3", "n4")
	out := c.MustCLI("cluster", "demote", "n1", "--reason", "its site is far away") // the leader hands over first
	requireLines(t, "demote", out, "Node n1 is a replica now.", "Warning: 2 members are to vote")
	requireVoters(t, c, "n2", "n3")
	requireLines(t, "demote again", c.MustCLI("cluster", "demote", "n1"), "Node n1 is a replica now.")
	requireLines(t, "promote", c.MustCLI("cluster", "promote", "n4"), "Node n4 is to vote")
	requireVoters(t, c, "n2", "n3", "n4")
	requireLines(t, "promote again", c.MustCLI("cluster", "promote", "n4"), "Node n4 votes.")
	for _, m := range members(t, c).Members {
		if want := map[bool]string{true: "voter", false: "replica"}[m.Votes]; m.Role != want {
			t.Errorf("%s: role %s, votes %v", m.ID, m.Role, m.Votes)
		}
	}
	load.settle(t)
	if load.count() < 20 {
		t.Errorf("only %d domains were registered meanwhile", load.count())
	}
	if r := c.CLI("cluster", "demote", "n9"); r.Code != exitError || !strings.Contains(r.Stderr, "there is no such member") {
		t.Errorf("demote of a stranger: %d %s", r.Code, r.Stderr)
	}
	c.KillNode("n4")
	waitGone(t, c, "n4")
	for _, id := range []string{"n2", "n3"} {
		for _, verb := range []string{"demote", "remove"} {
			r := c.CLI("cluster", verb, id, "--node", "n1")
			if r.Code != exitError || !strings.Contains(r.Stderr, "of the 2 voters that would stay only 1 answer, and 2 are needed") {
				t.Errorf("%s %s with a voter down: %d %s", verb, id, r.Code, r.Stderr)
			}
		}
	}
	c.MustCLI("cluster", "demote", "n4", "--node", "n1") // the dead one may go
	requireVoters(t, c, "n2", "n3")
}

func errUnlessLeads(answer membersAnswer, id string) error {
	if answer.Leader != id {
		return fmt.Errorf("%q leads", answer.Leader)
	}
	return nil
}

// TestNodeWithOtherAddresses moves nodes of a working cluster to other ports, the leader too.
func TestNodeWithOtherAddresses(t *testing.T) {
	c := devtest.Start(t, program(t))
	info := c.Info()
	if code := c.Stop(); code != exitOK {
		t.Fatalf("stopping ended with %d", code)
	}
	o := newOffline(t, c, info)
	for _, id := range []string{"n1", "n2", "n3"} {
		o.start(id)
	}
	o.waitVoters("n1", 3)
	load := startLoad(t, info, "n1", "n2", "n3")
	o.awaitMore(load, 10)
	leader, err := o.members("n1")
	if err != nil {
		t.Fatal(err)
	}
	follower := map[string]string{"n1": "n2", "n2": "n3", "n3": "n1"}[leader.Leader]
	for place, id := range []string{follower, leader.Leader} {
		o.stop(id)
		moved := o.move(id, 5+place)
		o.start(id)
		o.c.Eventually(40*time.Second, id+" at its new address", func() error {
			answer, err := o.members(id)
			if err != nil {
				return err
			}
			for _, m := range answer.Members {
				if m.ID == id && (m.Raft != moved.Raft || m.Admin != moved.Admin || !m.Votes || !m.Reachable) {
					return fmt.Errorf("%+v", m)
				}
			}
			return nil
		})
		o.awaitMore(load, 10)
	}
	names := load.settle(t)
	o.waitVoters("n1", 3)
	for _, id := range []string{"n1", "n2", "n3"} {
		o.requireDomains(id, names)
	}
	o.leadOn(follower) // the others reach it where it is now
}

// move gives a stopped node the Raft and gRPC ports of another place.
func (o *offlineCluster) move(id string, place int) devcluster.Node {
	o.t.Helper()
	for i := range o.info.Nodes {
		n := &o.info.Nodes[i]
		if n.ID != id {
			continue
		}
		text, err := os.ReadFile(n.Config)
		if err != nil {
			o.t.Fatal(err)
		}
		raft, admin := devcluster.Address(o.c.BasePort, place, devcluster.PortRaft), devcluster.Address(o.c.BasePort, place, devcluster.PortAdmin)
		moved := strings.NewReplacer(n.Raft, raft, n.Admin, admin).Replace(string(text))
		if err := os.WriteFile(n.Config, []byte(moved), 0o600); err != nil {
			o.t.Fatal(err)
		}
		n.Raft, n.Admin = raft, admin
		return *n
	}
	o.t.Fatalf("no node %s", id)
	return devcluster.Node{}
}

// TestGracefulLeave stops the leader again and again under load. No command fails: each is
// answered, or its session got the goodbye of a server that stops.
func TestGracefulLeave(t *testing.T) {
	c := devtest.Start(t, program(t))
	info := c.Info()
	if code := c.Stop(); code != exitOK {
		t.Fatalf("stopping ended with %d", code)
	}
	o := newOffline(t, c, info)
	all := []string{"n1", "n2", "n3"}
	for _, id := range all {
		o.start(id)
	}
	o.waitVoters("n1", 3)
	load := startLoad(t, info, "n1", "n2", "n3", "n1", "n2", "n3")
	for range 4 {
		o.awaitMore(load, 60)
		answer, err := o.members("n2")
		if err != nil || answer.Leader == "" {
			t.Fatalf("%+v, %v", answer, err)
		}
		o.stop(answer.Leader) // which also demands that it ends well
		o.awaitMore(load, 30)
		o.start(answer.Leader)
		o.waitServing(answer.Leader)
	}
	names := load.settle(t)
	if load.goodbyes.Load() == 0 {
		t.Error("no session was open on a node that stopped")
	}
	if load.silent.Load() > 0 {
		t.Errorf("%d connections were lost without a word", load.silent.Load())
	}
	if slowest := time.Duration(load.slowest.Load()); slowest > 5*time.Second {
		t.Errorf("the slowest command took %s", slowest)
	}
	o.waitVoters("n1", 3)
	for _, id := range all {
		o.requireDomains(id, names)
	}
}

func (o *offlineCluster) waitServing(id string) {
	o.t.Helper()
	o.c.Eventually(30*time.Second, id+" serves again", func() error {
		answer, err := o.members(id)
		if err == nil && answer.Leader == "" {
			err = errors.New("it knows no leader")
		}
		return err
	})
}

// TestStrangersOnTheRaftPort knocks on the Raft port with certificates that are none of a
// member's. All but a member's are refused before a byte is decoded.
func TestStrangersOnTheRaftPort(t *testing.T) {
	c := devtest.Start(t, program(t))
	dir := t.TempDir()
	issue := func(ca, kind, name string) cluster.Paths {
		t.Helper()
		out := filepath.Join(dir, filepath.Base(ca)+"-"+name)
		if r := devtest.Run(t, program(t), "ca", kind, name, "--dir", ca, "--out", out); r.Code != exitOK {
			t.Fatal(r.Stderr)
		}
		return cluster.PathsIn(out, name)
	}
	own, foreign := filepath.Join(c.Dir, "ca"), filepath.Join(dir, "foreign")
	if r := devtest.Run(t, program(t), "ca", "init", "--dir", foreign); r.Code != exitOK {
		t.Fatal(r.Stderr)
	}
	member, removed := issue(own, "node", "n2"), issue(own, "node", "n3")
	target := c.Node("n1").Raft
	if err := knock(t, target, member); err != nil {
		t.Errorf("a member was refused: %v", err)
	}
	standing := openTLS(t, target, removed)
	c.MustCLI("cluster", "remove", "n3")
	for what, paths := range map[string]cluster.Paths{
		"a removed node":          removed,
		"a node that never was":   issue(own, "node", "n9"),
		"an operator":             issue(own, "operator", "mallory"),
		"a registrar":             issue(own, "registrar", "registrar-m"),
		"another cluster's n2":    issue(foreign, "node", "n2"),
		"another cluster's clerk": issue(foreign, "operator", "mallory"),
	} {
		if err := knock(t, target, paths); err == nil {
			t.Errorf("%s was admitted to the Raft port", what)
		}
	}
	if err := knock(t, target, member); err != nil {
		t.Errorf("afterwards a member was refused: %v", err)
	}
	// What the removed node had open before is cut.
	if err := standing.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := standing.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection of the removed node stands: %v", err)
	}
}

func openTLS(t *testing.T, address string, paths cluster.Paths) *tls.Conn {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(paths.Certificate, paths.Key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	// Who the other side is matters here to nobody.
	conn := tls.Client(raw, &tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// knock returns an error if the port refuses the certificate: with TLS 1.3 the client learns
// of that when it reads. A port that admits it waits for the first message in silence.
func knock(t *testing.T, address string, paths cluster.Paths) error {
	t.Helper()
	conn := openTLS(t, address, paths)
	defer func() { _ = conn.Close() }()
	if err := conn.Handshake(); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(700 * time.Millisecond)); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err == nil {
		return errors.New("the port speaks first")
	}
	return err
}
