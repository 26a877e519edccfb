package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
	"cadastre/registry"
)

// upgradeFromVariable names the commit whose build a rolling upgrade starts from; the one
// before the present if it is not set.
const upgradeFromVariable = "CADASTRE_UPGRADE_FROM"

// earlierProgram builds the program of an earlier commit. It skips the test where the
// history is missing, as in a shallow clone.
func earlierProgram(t *testing.T) string {
	t.Helper()
	revision := os.Getenv(upgradeFromVariable)
	if revision == "" {
		revision = "HEAD~1"
	}
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", args...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "--verify", "--quiet", revision+"^{commit}")
	if err != nil {
		t.Skipf("SKIPPED: no earlier build to upgrade from: git does not have %s here (a shallow clone, or no clone): %s", revision, commit)
	}
	top, err := git("rev-parse", "--show-toplevel")
	if err != nil {
		t.Fatal(top)
	}
	dir := t.TempDir()
	archive := filepath.Join(dir, "source.tar")
	if out, err := git("-C", top, "archive", "--output", archive, commit); err != nil {
		t.Fatalf("git archive: %s", out)
	}
	source := filepath.Join(dir, "source")
	if err := os.Mkdir(source, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-xf", archive, "-C", source).CombinedOutput(); err != nil {
		t.Fatalf("tar: %s", out)
	}
	binary := filepath.Join(dir, "cadastre-before")
	build := exec.Command("go", "build", "-o", binary, "./cmd/cadastre")
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %s", commit, out)
	}
	t.Logf("upgrading from %s", commit)
	return binary
}

type featuresAnswer struct {
	Level      uint32           `json:"level"`
	CanRaiseTo uint32           `json:"can_raise_to"`
	Obstacles  []string         `json:"obstacles"`
	Members    []featuresMember `json:"members"`
}

func (o *offlineCluster) features(id string) featuresAnswer {
	o.t.Helper()
	var answer featuresAnswer
	if err := json.Unmarshal([]byte(o.operate(id, "cluster", "features", "--json")), &answer); err != nil {
		o.t.Fatal(err)
	}
	return answer
}

// leadOn hands leadership to the node and waits until all know.
func (o *offlineCluster) leadOn(id string) {
	o.t.Helper()
	o.c.Eventually(30*time.Second, id+" leads", func() error {
		if r := o.try(id, "cluster", "transfer-leader", id); r.Code != exitOK {
			return fmt.Errorf("transfer: %s", r.Stderr)
		}
		answer, err := o.members(id)
		if err == nil && answer.Leader != id {
			err = fmt.Errorf("%s leads", answer.Leader)
		}
		return err
	})
}

// try is operate without demanding success.
func (o *offlineCluster) try(id string, args ...string) devcluster.Result {
	o.t.Helper()
	return devtest.Run(o.t, program(o.t), append(args, "--addr", o.node(id).Admin, "--ca", o.info.CA,
		"--cert", o.info.Operator.Cert, "--key", o.info.Operator.Key)...)
}

// awaitMore waits until the load has registered so many more domains.
func (o *offlineCluster) awaitMore(l *steadyLoad, more int) {
	o.t.Helper()
	want := l.count() + more
	o.c.Eventually(60*time.Second, fmt.Sprintf("%d more domains", more), func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.failures) > 0 {
			o.t.Fatalf("load: %s\n%s", l.failures[0], o.c.Logs())
		}
		if len(l.done) < want {
			return fmt.Errorf("%d of %d", len(l.done), want)
		}
		return nil
	})
}

// TestRollingUpgrade upgrades a cluster of an earlier build node by node under load, with
// the leader on each side of the mix, and raises the feature level at the end.
func TestRollingUpgrade(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an earlier program and runs a cluster of processes; not with -short")
	}
	before := earlierProgram(t)
	c := devtest.Start(t, before)
	info := c.Info()
	if code := c.Stop(); code != exitOK {
		t.Fatalf("stopping ended with %d", code)
	}
	o := newOffline(t, c, info)
	for _, id := range []string{"n1", "n2", "n3"} {
		o.startWith(before, id)
	}
	o.waitVoters("n1", 3)
	load := startLoad(t, info, "n1", "n2", "n3")
	o.awaitMore(load, 20)

	o.upgrade("n1")
	o.leadOn("n1") // the new program leads old ones
	o.awaitMore(load, 50)
	o.leadOn("n2") // an old program leads a new one
	o.awaitMore(load, 50)
	found := o.features("n1")
	mustRaise := found.Level < registry.MaxFeatureLevel
	if mustRaise {
		o.refuseRaise()
	}
	o.upgrade("n2")
	o.leadOn("n3") // the last of the old ones
	o.awaitMore(load, 50)
	o.upgrade("n3")
	o.awaitMore(load, 20)
	o.operate("n1", "cluster", "raise-level", "--reason", "all nodes are upgraded")
	o.awaitMore(load, 50)
	names := load.settle(t)
	for _, id := range []string{"n1", "n2", "n3"} {
		o.requireDomains(id, names)
	}
	o.waitVoters("n1", 3)
	if found := o.features("n2"); found.Level != registry.MaxFeatureLevel || len(found.Obstacles) > 0 || len(found.Members) != 3 {
		t.Errorf("at the end: %+v", found)
	}
	if mustRaise {
		o.refuseOldProgram(before)
	}
}

// upgrade restarts a node with the present program.
func (o *offlineCluster) upgrade(id string) {
	o.t.Helper()
	o.stop(id)
	o.start(id)
	o.c.Eventually(30*time.Second, id+" serves again", func() error {
		_, err := o.members(id)
		return err
	})
}

// refuseRaise: while an old program runs, neither the level nor anything above it goes.
func (o *offlineCluster) refuseRaise() {
	o.t.Helper()
	found := o.features("n1")
	if found.CanRaiseTo != found.Level || len(found.Obstacles) == 0 {
		o.t.Errorf("in the mix: %+v", found)
	}
	r := o.try("n1", "cluster", "raise-level")
	if r.Code != exitError || !strings.Contains(r.Stderr, "not every member supports it") || !strings.Contains(r.Stderr, "node n2 runs") {
		o.t.Errorf("raise-level in the mix: %d %s", r.Code, r.Stderr)
	}
}

// refuseOldProgram: once the level is raised, the old program does not start on the data.
func (o *offlineCluster) refuseOldProgram(before string) {
	o.t.Helper()
	o.stop("n3")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, before, "server", "--config", o.node("n3").Config).CombinedOutput()
	if err == nil || ctx.Err() != nil || !strings.Contains(string(out), "format version") && !strings.Contains(string(out), "feature level") {
		o.t.Errorf("the old program on the data of a raised cluster: %v\n%s", err, out)
	}
	o.start("n3")
	o.waitVoters("n1", 3)
}
