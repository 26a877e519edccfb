package raftnode

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

func TestInstallOfWhatTheStateHasIsDoneAtOnce(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	at, hash := n.stateHash(t)
	for i := range repeatedInstalls - 1 {
		sink, err := n.node.snapshots.Create(1, at-1, 1, raft.Configuration{}, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sink.Write([]byte("not looked at")); err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(); err != nil {
			t.Fatalf("install %d: %v", i, err)
		}
		meta, reader, err := n.node.snapshots.Open(sink.ID())
		if err != nil || meta.Index != at-1 {
			t.Fatalf("open: %+v, %v", meta, err)
		}
		if err := n.node.adapter.Restore(reader); err != nil {
			t.Fatal(err)
		}
	}
	if gotAt, gotHash := n.stateHash(t); gotAt != at || gotHash != hash {
		t.Errorf("the state went from %d to %d", at, gotAt)
	}
	// One more in a row is a circle.
	sink, err := n.node.snapshots.Create(1, at-1, 1, raft.Configuration{}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sink.Write([]byte("again")); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err == nil {
		t.Error("a circle of installs went on")
	}
	if err := <-n.fatal; !strings.Contains(err.Error(), "cadastre node rebuild") {
		t.Errorf("fatal with %v", err)
	}
	n.fatal <- errKilled
}

func TestBadInstallLeavesTheStateAlone(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	at, hash := n.stateHash(t)
	for name, stream := range map[string][]byte{
		"garbage":       []byte(strings.Repeat("garbage", 100)),
		"another label": frame(strings.Replace(goodStream, `"index":7`, `"index":70000`, 1), "aa"),
		"cut short":     frame(goodStream, ""),
	} {
		sink, err := n.node.snapshots.Create(1, at+1000, 1, raft.Configuration{}, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, writeErr := sink.Write(stream)
		if err := errors.Join(writeErr, sink.Close()); !errors.Is(err, ErrBadCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := n.node.snapshots.Open(sink.ID()); err == nil {
			t.Errorf("%s can be opened", name)
		}
		if err := sink.Cancel(); err != nil {
			t.Errorf("cancel: %v", err)
		}
	}
	if gotAt, gotHash := n.stateHash(t); gotAt != at || gotHash != hash {
		t.Errorf("the state went from %d to %d", at, gotAt)
	}
}

func TestSnapshotNeverGetsAheadOfTheState(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"].node
	for _, tt := range []struct {
		index uint64
		want  error
	}{{n.AppliedIndex(), nil}, {n.AppliedIndex() + 1, errSnapshotAhead}} {
		sink, err := n.snapshots.Create(1, tt.index, 1, raft.Configuration{}, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := (virtualSnapshot{adapter: n.adapter}).Persist(sink); !errors.Is(err, tt.want) {
			t.Errorf("snapshot at %d: %v, want %v", tt.index, err, tt.want)
		}
	}
}

func TestTruncationInPieces(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		from, to                uint64
		wantFirst, wantLast     uint64
		deleteFirst, deleteLast uint64
	}{
		{"prefix", 1, 20000, 17001, 20000, 1, 17000},
		{"suffix", 1, 20000, 1, 2999, 3000, 20000},
		{"everything", 5, 20000, 0, 0, 1, 1 << 40},
		{"nothing there", 5, 6, 5, 6, 1, 4},
	} {
		l, err := openLogStore(t.TempDir()+"/raft.db", &watchdog{fatal: func(err error) { t.Error(err) }}, true)
		if err != nil {
			t.Fatal(err)
		}
		var entries []*raft.Log
		for i := tt.from; i <= tt.to; i++ {
			entries = append(entries, &raft.Log{Index: i, Term: 1})
		}
		if err := l.StoreLogs(entries); err != nil {
			t.Fatal(err)
		}
		if err := l.DeleteRange(tt.deleteFirst, tt.deleteLast); err != nil {
			t.Fatal(err)
		}
		first, _ := l.FirstIndex()
		last, _ := l.LastIndex()
		if first != tt.wantFirst || last != tt.wantLast {
			t.Errorf("%s: %d to %d are left, want %d to %d", tt.name, first, last, tt.wantFirst, tt.wantLast)
		}
		var entry raft.Log
		if err := l.GetLog(tt.deleteFirst, &entry); !errors.Is(err, raft.ErrLogNotFound) {
			t.Errorf("%s: a removed entry is answered: %v", tt.name, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogBridge(t *testing.T) {
	var out bytes.Buffer
	b := newLogBridge(slog.New(slog.NewTextHandler(&out, nil)))
	now := time.Unix(1_700_000_000, 0)
	b.now = func() time.Time { return now }
	l := b.hclog("raft")
	for range 100 {
		l.Error("failed to heartbeat to", "peer", "n2", "backoff time", time.Second, "error", errors.New("refused"))
	}
	l.Error("failed to heartbeat to", "peer", "n3", "last-index", hclog.Fmt("%d", 7))
	now = now.Add(repeatInterval)
	l.Error("failed to heartbeat to", "peer", "n2")
	l.Error("failed to take snapshot", "error", raft.ErrNothingNewToSnapshot)
	l.Debug("not shown")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	for i, want := range []string{"peer=n2", "last_index=7", "suppressed=99"} {
		if !strings.Contains(lines[i], want) || !strings.Contains(lines[i], "component=raft") {
			t.Errorf("line %d lacks %s: %s", i, want, lines[i])
		}
	}
}
