package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/bench/bulk"
	"cadastre/bench/load"
	"cadastre/internal/devcluster"
)

const (
	killDomains = 15_000
	killTimeout = 5 * time.Minute
)

// killBed is a filled cluster of three and a node that joins it.
type killBed struct {
	*bench
	token, data string
}

func newKillBed(t *testing.T, ctx context.Context) *killBed {
	t.Helper()
	dir := t.TempDir()
	bin, err := devcluster.Build(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	port, err := devcluster.FreeBasePort()
	if err != nil {
		t.Fatal(err)
	}
	b := &killBed{bench: &bench{bin: bin, dir: filepath.Join(dir, "cluster"), port: port}}
	b.cluster, _, err = bulk.StartFilled(ctx, devcluster.Config{Binary: bin, Dir: b.dir, BasePort: port}, bulk.Config{Domains: killDomains, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(b.cluster.Logs())
		}
		if err := b.cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	if b.info, err = b.cluster.Info(); err != nil {
		t.Fatal(err)
	}
	// Slowly, so that there is a middle to be killed in.
	if b.token, err = b.prepare(ctx, "joining", "[seed]\nreceive_mb_per_second = 2\n"); err != nil {
		t.Fatal(err)
	}
	b.data = filepath.Join(b.dir, "joining", "data")
	return b
}

// joining starts the command, which writes to the file that is returned.
func (b *killBed) joining(t *testing.T) (join *exec.Cmd, output string) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "join")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // the process has its own handle
	join = exec.Command(b.bin, "cluster", "join", "--config", b.config(), "--peer", b.info.Nodes[0].Admin, "--token", b.token)
	join.Stdout, join.Stderr = file, file
	if err := join.Start(); err != nil {
		t.Fatal(err)
	}
	return join, file.Name()
}

// arrived returns how many octets of the state are in the new node's folder.
func (b *killBed) arrived() (total int64) {
	_ = filepath.WalkDir(filepath.Join(b.data, "store", "seed.tmp", "files"), func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() { // files come and go meanwhile
			if info, err := entry.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

func (b *killBed) exists(name string) bool {
	_, err := os.Stat(filepath.Join(b.data, "store", "seed.tmp", name))
	return err == nil
}

// killWhen kills the command as soon as the condition holds, unless it ends before.
func (b *killBed) killWhen(t *testing.T, ctx context.Context, what string, condition func() bool) {
	t.Helper()
	join, output := b.joining(t)
	ended := make(chan error, 1)
	go func() { ended <- join.Wait() }()
	for !condition() {
		select {
		case err := <-ended:
			text, _ := os.ReadFile(output)
			t.Fatalf("it ended before: %s: %v\n%s", what, err, text)
		case <-ctx.Done():
			_ = join.Process.Kill() // the test has failed
			t.Fatalf("not in time: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
	if err := join.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Logf("it ended just before it was killed: %s", what)
	}
}

func TestJoinGoesOnAfterItWasKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; not in -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), killTimeout)
	defer cancel()
	b := newKillBed(t, ctx)
	b.killWhen(t, ctx, "the first files arrive", func() bool { return b.arrived() > 0 })
	for range 3 {
		before := b.arrived()
		b.killWhen(t, ctx, "more arrives than before", func() bool { return b.arrived() > before+500_000 })
	}
	// Then the source dies in the middle.
	join, output := b.joining(t)
	ended := make(chan error, 1)
	go func() { ended <- join.Wait() }()
	source := ""
	for source == "" && ctx.Err() == nil {
		text, _ := os.ReadFile(output)
		if _, rest, ok := strings.Cut(string(text), `msg="fetching the state" node=`); ok {
			source, _, _ = strings.Cut(rest, " ")
		}
		load.Pause(ctx, time.Millisecond)
	}
	if err := b.cluster.KillNode(ctx, source); err != nil {
		t.Fatalf("kill the source %q: %v", source, err)
	}
	if err := <-ended; err != nil {
		text, _ := os.ReadFile(output)
		t.Fatalf("after the death of its source: %v\n%s", err, text)
	}
	if text, _ := os.ReadFile(output); strings.Count(string(text), `msg="fetching the state" node=`) < 2 {
		t.Errorf("no other node was asked:\n%s", text)
	}
	if b.exists("files") || b.exists("state") {
		t.Error("what was fetched is still there")
	}
	if err := b.cluster.StartNode(ctx, source); err != nil {
		t.Fatal(err)
	}
	b.checkEqual(t, ctx)
}

func TestJoinKilledWhileItPutsTheStateTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; not in -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), killTimeout)
	defer cancel()
	b := newKillBed(t, ctx)
	for range 2 {
		b.killWhen(t, ctx, "it is being put together", func() bool { return b.exists("assembly") })
	}
	join, output := b.joining(t)
	if err := join.Wait(); err != nil {
		text, _ := os.ReadFile(output)
		t.Fatalf("%v\n%s", err, text)
	}
	b.checkEqual(t, ctx)
}

// checkEqual starts the new node and waits until it is level with the others.
func (b *killBed) checkEqual(t *testing.T, ctx context.Context) {
	t.Helper()
	pid, _, err := b.follow(ctx)
	if err != nil {
		text, _ := os.ReadFile(filepath.Join(b.dir, "joining", "log"))
		t.Fatalf("%v\n%s", err, text)
	}
	err = load.EqualHashes(ctx, b.cluster, len(b.info.Nodes)+1)
	if process, findErr := os.FindProcess(pid); findErr == nil {
		_ = process.Kill() // it has served its purpose
	}
	if err != nil {
		t.Error(fmt.Errorf("the nodes after the join: %w", err))
	}
}
