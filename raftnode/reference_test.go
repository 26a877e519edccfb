package raftnode

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// fetchFrom returns a FetchFunc that fetches from node id of the cluster, file by file.
func (c *cluster) fetchFrom(id string, count *atomic.Int64) FetchFunc {
	return func(ctx context.Context, ref Reference, dir string) error {
		count.Add(1)
		source := c.nodes[id].running()
		if source == nil {
			return errors.New("the node is down")
		}
		held, err := source.HoldCheckpoint(ctx, ref.Index)
		if err != nil {
			return err
		}
		assembly := filepath.Join(dir, "assembly")
		if err := errors.Join(os.RemoveAll(assembly), os.Mkdir(assembly, 0o700)); err != nil {
			return err
		}
		for _, f := range held.Files {
			in, err := source.ReadHeld(held.ID, f.Name, 0)
			if err != nil {
				return err
			}
			content, err := io.ReadAll(in)
			if err := errors.Join(err, in.Close(), os.WriteFile(filepath.Join(assembly, f.Name), content, 0o600)); err != nil {
				return err
			}
		}
		return os.Rename(assembly, filepath.Join(dir, fetchedStateName))
	}
}

// behindTheLog makes a cluster of three with n3 down and behind the others' logs.
func behindTheLog(t *testing.T, fetch func(c *cluster) FetchFunc) *cluster {
	t.Helper()
	var c *cluster
	c = newCluster(t, func(cfg *Config) {
		cfg.TrailingEntries = 1
		cfg.Fetch = func(ctx context.Context, ref Reference, dir string) error { return fetch(c)(ctx, ref, dir) }
	})
	c.voters(3)
	c.nodes["n1"].propose(t, clusterInit())
	c.register(0, 3)
	c.agree("n1", "n2", "n3")
	if c.leader() == c.nodes["n3"] {
		if err := c.nodes["n3"].node.TransferLeadership(testContext(t), ""); err != nil {
			t.Fatal(err)
		}
	}
	c.nodes["n3"].kill(t)
	c.register(3, 30)
	c.nodes["n1"].snapshot(t)
	c.nodes["n2"].snapshot(t)
	return c
}

func TestNodeBehindTheLogFetchesWhatTheLeaderRefersTo(t *testing.T) {
	var fetches atomic.Int64
	// From either node: the leader itself or a nearer one whose state is later.
	for _, source := range []string{"n1", "n2"} {
		t.Run(source, func(t *testing.T) {
			fetches.Store(0)
			c := behindTheLog(t, func(c *cluster) FetchFunc { return c.fetchFrom(source, &fetches) })
			c.nodes["n3"].start(t)
			c.register(30, 60) // while it fetches
			c.agree("n1", "n2", "n3")
			if fetches.Load() == 0 {
				t.Error("nothing was fetched")
			}
			if _, err := os.Stat(c.nodes["n3"].node.cfg.fetchedDir()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("what was fetched is still there: %v", err)
			}
			c.register(60, 63)
			c.nodes["n3"].kill(t)
			c.nodes["n3"].start(t)
			c.agree("n1", "n2", "n3")
		})
	}
}

func TestNodeThatCannotFetchGetsTheStream(t *testing.T) {
	var fetches atomic.Int64
	c := behindTheLog(t, func(*cluster) FetchFunc {
		return func(context.Context, Reference, string) error {
			fetches.Add(1)
			return errors.New("no way")
		}
	})
	c.nodes["n3"].start(t)
	c.agree("n1", "n2", "n3")
	if got := fetches.Load(); got != maxFetchFailures {
		t.Errorf("%d fetches were tried, not %d", got, maxFetchFailures)
	}
}

func TestFetchedStateSurvivesARestart(t *testing.T) {
	var fetches atomic.Int64
	c := behindTheLog(t, func(c *cluster) FetchFunc { return c.fetchFrom("n1", &fetches) })
	// It was killed after the fetch and before the leader asked again.
	held, err := c.nodes["n1"].node.HoldCheckpoint(testContext(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	cfg := c.nodes["n3"].config(nil)
	if err := os.MkdirAll(cfg.fetchedDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := c.fetchFrom("n1", new(atomic.Int64))(testContext(t), Reference{Index: held.Index}, cfg.fetchedDir()); err != nil {
		t.Fatal(err)
	}
	c.nodes["n3"].start(t)
	c.agree("n1", "n2", "n3")
	if got := fetches.Load(); got != 0 {
		t.Errorf("what was there was fetched %d times more", got)
	}
}

func TestLogIsHeldForAFetch(t *testing.T) {
	c := newCluster(t, func(cfg *Config) { cfg.TrailingEntries = 1; cfg.RetainBytes = 16 << 10 })
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	c.register(0, 5)
	from := n.node.AppliedIndex()
	if _, err := n.node.HoldLog("test", from, time.Minute); err != nil {
		t.Fatal(err)
	}
	c.register(5, 400)
	n.snapshot(t)
	var first uint64
	eventually(t, "the log has been looked at", func() (err error) {
		first, err = n.node.log.FirstIndex()
		return errors.Join(err, errUnless(n.node.log.sizes.bytes() > 16<<10, "it is small"))
	})
	if first > from+1 {
		t.Errorf("the log begins at %d, held were those after %d", first, from)
	}
	if _, err := n.node.HoldLog("test", from, -time.Second); err != nil { // over
		t.Fatal(err)
	}
	eventually(t, "the log is cut", func() error {
		c.register(int(n.node.AppliedIndex())+1000, int(n.node.AppliedIndex())+1001)
		first, err := n.node.log.FirstIndex()
		return errors.Join(err, errUnless(first > from+1, "not yet"))
	})
}

func TestHeldCheckpointsAreBounded(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	now := time.Now()
	n.node.holder.now = func() time.Time { return now }
	first, err := n.node.HoldCheckpoint(testContext(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := n.node.HoldCheckpoint(testContext(t), 1)
	if err != nil || again.ID != first.ID {
		t.Errorf("the same was asked for and made anew: %v", err)
	}
	reader, err := n.node.ReadHeld(first.ID, first.Files[0].Name, 1)
	if err != nil {
		t.Fatal(err)
	}
	newer := func() (HeldCheckpoint, error) {
		c.register(int(n.node.AppliedIndex()), int(n.node.AppliedIndex())+1)
		return n.node.HoldCheckpoint(testContext(t), n.node.AppliedIndex())
	}
	second, err := newer()
	if err != nil || second.ID == first.ID {
		t.Fatalf("a newer one: %v", err)
	}
	if _, err := newer(); !errors.Is(err, errTooManyHeld) {
		t.Errorf("a third one: %v", err)
	}
	now = now.Add(evictIdle)
	third, err := newer()
	if err != nil {
		t.Fatalf("a third one after a while: %v", err)
	}
	if _, err := n.node.ReadHeld(second.ID, second.Files[0].Name, 0); !errors.Is(err, ErrNotHeld) {
		t.Errorf("the idle one was not released: %v", err)
	}
	now = now.Add(heldIdle + time.Second)
	if err := n.node.holder.expire(false); err != nil {
		t.Fatal(err)
	}
	if _, err := n.node.ReadHeld(third.ID, third.Files[0].Name, 0); !errors.Is(err, ErrNotHeld) {
		t.Errorf("one that nobody reads is held: %v", err)
	}
	if n.node.HeldCheckpoints() != 1 {
		t.Errorf("%d are held; one is being read", n.node.HeldCheckpoints())
	}
	if content, err := io.ReadAll(reader); err != nil || int64(len(content)) != first.Files[0].Bytes-1 {
		t.Errorf("%d octets of %d, from the second on: %v", len(content), first.Files[0].Bytes, err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := n.node.ReleaseHeld(first.ID); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(n.node.cfg.outgoingDir()); err != nil || len(left) > 0 {
		t.Errorf("%d folders are left: %v", len(left), err)
	}
}

func TestBadReferences(t *testing.T) {
	for label, body := range map[string]string{
		"no place": `{"node":"n1"}`, "no node": `{"index":1,"term":1}`, "not JSON": `{`, "a path": `{"node":"../n1","index":1,"term":1}`,
	} {
		stream := append([]byte{0, 0, 0, byte(len(body))}, body...)
		if _, err := readReference(bytes.NewReader(stream)); !errors.Is(err, ErrBadCheckpoint) {
			t.Errorf("%s: %v", label, err)
		}
	}
	if _, err := readReference(bytes.NewReader([]byte{0xff, 0, 0, 0})); !errors.Is(err, ErrBadCheckpoint) {
		t.Errorf("a long one: %v", err)
	}
	whole, err := Reference{NodeID: "n1", ID: "x", Index: 3, Term: 2}.encode()
	if err != nil {
		t.Fatal(err)
	}
	if ref, err := readReference(bytes.NewReader(whole[len(referenceMagic):])); err != nil || ref.Index != 3 || ref.Term != 2 {
		t.Errorf("%+v, %v", ref, err)
	}
}
