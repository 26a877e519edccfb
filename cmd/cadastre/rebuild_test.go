package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
)

// runningOffline starts a dev cluster and takes its nodes over, so that each can be stopped
// and started as an operator would.
func runningOffline(t *testing.T, args ...string) *offlineCluster {
	t.Helper()
	c := devtest.Start(t, program(t), args...)
	info := c.Info()
	if code := c.Stop(); code != exitOK {
		t.Fatalf("stopping ended with %d", code)
	}
	o := newOffline(t, c, info)
	for _, n := range info.Nodes {
		o.start(n.ID)
	}
	for _, n := range info.Nodes {
		o.waitServing(n.ID)
	}
	return o
}

// rebuildArgs is the command line that rebuilds a node from a peer.
func (o *offlineCluster) rebuildArgs(id, peer string, more ...string) []string {
	return append([]string{"node", "rebuild", "--config", o.node(id).Config, "--addr", o.node(peer).Admin,
		"--ca", o.info.CA, "--cert", o.info.Operator.Cert, "--key", o.info.Operator.Key}, more...)
}

func (o *offlineCluster) rebuild(id, peer string, more ...string) devcluster.Result {
	o.t.Helper()
	return devtest.Run(o.t, program(o.t), o.rebuildArgs(id, peer, more...)...)
}

// register makes so many domains through a node and returns their names.
func (o *offlineCluster) register(node, prefix string, count int) (names []string) {
	o.t.Helper()
	client := faultSession(o.t, o.info, o.node(node).EPP)
	for i := range count {
		name := fmt.Sprintf("%s-%03d.example", prefix, i)
		response, err := client.Do(context.Background(), domainCreate(name), "register-1")
		if err != nil || response.Code() != 1000 {
			o.t.Fatalf("create %s: %v, %v\n%s", name, response, err, o.c.Logs())
		}
		names = append(names, name)
	}
	_ = client.Close() // nothing depends on it
	return names
}

// listing names everything under a folder with its size.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func requireNoRemains(t *testing.T, data string) {
	t.Helper()
	entries, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "damaged-") || strings.HasPrefix(e.Name(), "REBUILD") || e.Name() == "FENCED" {
			t.Errorf("%s is left in %s", e.Name(), data)
		}
	}
}

// TestNodeRebuild replaces the data of a node by what its peers have: with one command, also
// if that was cut off behind any of its steps, and not at all while it would do harm.
func TestNodeRebuild(t *testing.T) {
	o := runningOffline(t)
	names := o.register("n1", "rebuild", 30)
	o.waitVoters("n1", 3)
	data := o.node("n3").Data

	if r := o.rebuild("n3", "n1"); r.Code != exitError || !strings.Contains(r.Stderr, "stop the node first") {
		t.Errorf("while it runs: %d %s", r.Code, r.Stderr)
	}
	o.stop("n3")
	before := listing(t, data)
	dry := o.rebuild("n3", "n1", "--dry-run")
	requireLines(t, "dry run", dry.Stdout, "Node n3 is to be rebuilt as a voter, from the nearest of n1, n2", "Nothing was changed.")
	o.stop("n2")
	if r := o.rebuild("n3", "n1"); r.Code != exitError || !strings.Contains(r.Stderr, "of the 2 other voters only 1 answer, and 2 are needed") {
		t.Errorf("without a quorum: %d %s", r.Code, r.Stderr)
	}
	if after := listing(t, data); after != before {
		t.Errorf("the refusals and the dry run changed the data folder:\n%s\n%s", before, after)
	}
	o.start("n2")
	o.waitServing("n2")

	for _, step := range []rebuildStep{rebuildRemoved, rebuildInvited, rebuildAside, rebuildFetched, rebuildVerified} {
		t.Run("cut off behind "+string(step), func(t *testing.T) { o.cutOffRebuild(t, step) })
	}
	t.Run("killed", o.killedRebuild)
	if r := o.rebuild("n3", "n2", "--keep-damaged", "--json"); r.Code != exitOK {
		t.Fatalf("the last rebuild: %d %s", r.Code, r.Stderr)
	} else {
		var answer struct{ Role, Aside string }
		if err := json.Unmarshal([]byte(r.Stdout), &answer); err != nil || answer.Role != "voter" {
			t.Errorf("%s: %v", r.Stdout, err)
		}
		if _, err := os.Stat(filepath.Join(data, answer.Aside, "store")); err != nil {
			t.Errorf("what was set aside: %v", err)
		}
	}
	o.start("n3")
	o.waitVoters("n1", 3)
	o.requireDomains("n3", names)
}

// cutOffRebuild ends a rebuild behind a step, as a crash there would, and starts it again.
func (o *offlineCluster) cutOffRebuild(t *testing.T, step rebuildStep) {
	cfg, err := loadConfig(o.node("n3").Config)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: &out}
	options := &rebuildOptions{conn: connFlags{addr: o.node("n1").Admin, ca: o.info.CA, cert: o.info.Operator.Cert, key: o.info.Operator.Key}}
	r, done, err := a.prepareRebuild(t.Context(), cfg, options)
	if err != nil {
		t.Fatal(err)
	}
	cut := errors.New("cut off")
	r.after = func(at rebuildStep) error {
		if at == step {
			return cut
		}
		return nil
	}
	if err := r.journal.write(cfg); err != nil {
		t.Fatal(err)
	}
	err = r.run(t.Context())
	done()
	if !errors.Is(err, cut) {
		t.Fatalf("it was not cut off: %v", err)
	}
	for _, args := range [][]string{{"server"}, {"node", "verify"}} {
		if r := devtest.Run(t, program(t), append(args, "--config", o.node("n3").Config)...); r.Code != exitError || !strings.Contains(r.Stderr, "is being rebuilt") {
			t.Errorf("%q meanwhile: %d %s", args, r.Code, r.Stderr)
		}
	}
	dry := o.rebuild("n3", "n2", "--dry-run")
	if dry.Code != exitOK || strings.Count(dry.Stdout, "[done]") == 0 {
		t.Errorf("dry run in the midst: %d %s%s", dry.Code, dry.Stdout, dry.Stderr)
	}
	if r := o.rebuild("n3", "n2"); r.Code != exitOK { // from another peer than before
		t.Fatalf("going on: %d %s", r.Code, r.Stderr)
	}
	requireNoRemains(t, cfg.DataDir)
	if r := devtest.Run(t, program(t), "node", "verify", "--config", o.node("n3").Config); r.Code != exitOK || !strings.Contains(r.Stdout, "The data is sound") {
		t.Errorf("verify: %d %s", r.Code, r.Stderr)
	}
}

// killedRebuild kills the command at ever later moments until it gets to its end.
func (o *offlineCluster) killedRebuild(t *testing.T) {
	kills := killedUntilDone(t, o.rebuildArgs("n3", "n1"), func(string) bool { return false })
	requireNoRemains(t, o.node("n3").Data)
	t.Logf("killed %d times", kills)
	if kills < 3 {
		t.Errorf("it was killed only %d times", kills)
	}
}

// TestRebuildOfTheOnlyVoterIsRefused asks a replica, which has no leader any more.
func TestRebuildOfTheOnlyVoterIsRefused(t *testing.T) {
	o := runningOffline(t, "--nodes", "1", "--replicas", "1")
	o.stop("n1")
	before := listing(t, o.node("n1").Data)
	r := o.rebuild("n1", "n2")
	if r.Code != exitError || !strings.Contains(r.Stderr, "node n1 is the only voter") {
		t.Errorf("%d %s", r.Code, r.Stderr)
	}
	if after := listing(t, o.node("n1").Data); after != before {
		t.Errorf("the refusal changed the data folder:\n%s\n%s", before, after)
	}
	o.start("n1")
	o.waitServing("n1")
	o.stop("n2")
	if r := o.rebuild("n2", "n1"); r.Code != exitOK || !strings.Contains(r.Stdout, "is a replica again") {
		t.Errorf("the replica: %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
	o.start("n2")
	o.waitServing("n2")
}

func TestRebuildRefusals(t *testing.T) {
	for _, test := range []struct {
		name  string
		found rebuildFindings
		want  string
	}{
		{"a healthy cluster", rebuildFindings{leader: "n1", votes: true, voters: 2, answer: 2, sources: []string{"n1"}}, ""},
		{"a replica", rebuildFindings{leader: "n1", voters: 1, answer: 1, sources: []string{"n1"}}, ""},
		{"the only voter", rebuildFindings{leader: "", votes: true}, "is the only voter"},
		{"one of two voters", rebuildFindings{leader: "", votes: true, voters: 1, answer: 1, sources: []string{"n1"}}, "has no leader"},
		{"half of the others", rebuildFindings{leader: "n1", votes: true, voters: 4, answer: 2, sources: []string{"n1", "n2"}}, "only 2 answer, and 3 are needed"},
		{"no leader", rebuildFindings{voters: 3, answer: 3, sources: []string{"n1"}}, "has no leader"},
		{"it leads itself", rebuildFindings{leader: "n9", votes: true, voters: 2, answer: 2, sources: []string{"n1"}}, "has no leader"},
		{"nobody to fetch from", rebuildFindings{leader: "n1"}, "no other node answers"},
	} {
		err := test.found.refuse("n9")
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
