package raftnode

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/store"
)

// A crash after a checkpoint was received, at each step before and after it was put in
// place, leaves a node that comes up and catches up.
func TestCrashAroundTheSwap(t *testing.T) {
	for _, step := range []string{"unpacked", "staged", "swapped"} {
		t.Run(step, func(t *testing.T) {
			c := newCluster(t, func(cfg *Config) { cfg.TrailingEntries = 1 })
			c.voters(1)
			leader := c.nodes["n1"]
			leader.propose(t, clusterInit())
			replica := c.add("n2")
			replica.start(t)
			if err := leader.node.AddNonvoter(testContext(t), "n2", replica.address); err != nil {
				t.Fatal(err)
			}
			c.register(0, 5)
			c.agree("n1", "n2")
			before, _ := replica.stateHash(t)
			replica.kill(t)
			c.register(5, 20)
			leader.snapshot(t)

			incoming := filepath.Join(replica.dir, "raft", "incoming", "install-1")
			at := pipeCheckpoint(t, leader.node, incoming)
			switch step {
			case "staged": // the rename that Restore begins with
				if err := os.Rename(incoming, filepath.Join(replica.dir, "store", "state.new")); err != nil {
					t.Fatal(err)
				}
			case "swapped": // the state is new, the log still old
				st, err := store.Open(filepath.Join(replica.dir, "store"))
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(st.Restore(incoming), st.Close()); err != nil {
					t.Fatal(err)
				}
			}
			replica.open(t)
			want := before
			if step != "unpacked" {
				want = at
			}
			if got := replica.node.AppliedIndex(); got != want {
				t.Errorf("comes up at index %d, want %d", got, want)
			}
			if left, err := os.ReadDir(filepath.Dir(incoming)); err != nil || len(left) != 0 {
				t.Errorf("left in the incoming folder: %v, %v", left, err)
			}
			replica.run(t)
			c.register(20, 22)
			c.agree("n1", "n2")
		})
	}
}

func TestReconcile(t *testing.T) {
	entries := func(term uint64, from, to uint64) (out []*raft.Log) {
		for i := from; i <= to; i++ {
			out = append(out, &raft.Log{Index: i, Term: term, Type: raft.LogCommand, Data: []byte{1}})
		}
		return out
	}
	for _, tt := range []struct {
		name        string
		log         []*raft.Log
		at          position
		first, last uint64
		conflict    bool
		err         string
	}{
		{"empty log", nil, position{5, 1}, 0, 0, false, ""},
		{"empty state", entries(1, 1, 3), position{}, 1, 3, false, ""},
		{"log ahead", entries(1, 1, 9), position{5, 1}, 1, 9, false, ""},
		{"log overtaken", entries(1, 1, 3), position{5, 2}, 0, 0, false, ""},
		{"stale suffix in its place", entries(1, 1, 9), position{5, 2}, 0, 0, true, ""},
		{"log goes on after the state", entries(1, 6, 9), position{5, 1}, 6, 9, false, ""},
		{"entries missing", entries(1, 8, 9), position{5, 1}, 8, 9, false, "missing"},
	} {
		for _, segmented := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, " segmented ", segmented), func(t *testing.T) {
				l, err := openLogStore(filepath.Join(t.TempDir(), "raft.db"), &watchdog{fatal: func(err error) { t.Error(err) }}, segmented)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = l.Close() }()
				if len(tt.log) > 0 {
					if err := l.StoreLogs(tt.log); err != nil {
						t.Fatal(err)
					}
				}
				conflict, err := l.reconcile(tt.at)
				if conflict != tt.conflict || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("conflict %v, error %v", conflict, err)
				}
				first, _ := l.FirstIndex()
				last, _ := l.LastIndex()
				if first != tt.first || last != tt.last {
					t.Errorf("the log is %d to %d, want %d to %d", first, last, tt.first, tt.last)
				}
			})
		}
	}
}

func TestEntryCacheAgreesWithTheLog(t *testing.T) {
	c := newEntryCache()
	want := make(map[uint64]uint64) // index → term
	put := func(term, from, to uint64, size int) {
		for i := from; i <= to; i++ {
			c.put([]*raft.Log{{Index: i, Term: term, Data: make([]byte, size)}})
			want[i] = term
		}
	}
	check := func(what string) {
		t.Helper()
		total := 0
		for i := c.low; i < c.high; i++ {
			total += len((*c.slot(i)).Data) + entryOverheadBytes
		}
		if total != c.bytes {
			t.Errorf("%s: counts %d octets, holds %d", what, c.bytes, total)
		}
		for i := range uint64(60000) {
			var got raft.Log
			if c.get(i, &got) && (got.Index != i || got.Term != want[i]) {
				t.Fatalf("%s: entry %d is %d of term %d, want term %d", what, i, got.Index, got.Term, want[i])
			}
		}
	}
	put(1, 1, 20000, 1)
	check("more than fit")
	if c.high-c.low != cacheEntries {
		t.Errorf("%d entries", c.high-c.low)
	}
	put(2, 19000, 19010, 1) // a suffix is replaced
	check("replaced suffix")
	c.drop(1, 15000)
	check("truncated prefix")
	c.drop(19005, 19010)
	for i := uint64(19005); i <= 19010; i++ {
		delete(want, i)
	}
	check("removed suffix")
	put(3, 30000, 30001, 1) // a gap
	check("gap")
	put(3, 30002, 30100, 1<<20)
	check("large entries")
	if c.bytes > cacheBytes+(1<<20) {
		t.Errorf("%d octets", c.bytes)
	}
}

func TestWatchdog(t *testing.T) {
	fatals := make(chan error, 4)
	w := &watchdog{fatal: func(err error) { fatals <- err }}
	if err := w.guard("write", time.Minute, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		result <- w.guard("write", 10*time.Millisecond, func() error { <-release; return nil })
	}()
	if err := <-fatals; !strings.Contains(err.Error(), "did not finish") {
		t.Errorf("hung write: %v", err)
	}
	close(release)
	if err := <-result; err == nil {
		t.Error("a write that hung and came back was taken for good")
	}
	if err := w.guard("write", time.Minute, func() error { t.Error("it ran"); return nil }); err == nil {
		t.Error("a write after the failure was let through")
	}
	select {
	case err := <-fatals:
		t.Errorf("fatal again: %v", err)
	default:
	}

	failing := &watchdog{fatal: func(err error) { fatals <- err }}
	want := errors.New("no space left")
	if err := failing.guard("append", time.Minute, func() error { return want }); !errors.Is(err, want) {
		t.Errorf("failed write: %v", err)
	}
	if err := <-fatals; !errors.Is(err, want) {
		t.Errorf("fatal with %v", err)
	}
}

// haltingMachine panics at a registrar, as the state machine does at an entry that it
// cannot apply.
type haltingMachine struct {
	StateMachine
	applied chan uint64
}

func (m *haltingMachine) Apply(entries []fsm.Entry) ([][]*fsmpb.Result, fsm.Effects) {
	for _, e := range entries {
		if bytes.Contains(e.Data, []byte(registrarID(66))) {
			panic(&fsm.Halt{Index: e.Index, Reason: "made up by the test"})
		}
		m.applied <- e.Index
	}
	return m.StateMachine.Apply(entries)
}

func TestHaltOfTheStateMachineIsFatal(t *testing.T) {
	machine := &haltingMachine{applied: make(chan uint64, 100)}
	c := newCluster(t, func(cfg *Config) {
		machine.StateMachine = cfg.Machine
		cfg.Machine = machine
	})
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	for len(machine.applied) > 0 {
		<-machine.applied
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := n.node.Propose(ctx, registrarCreate(66)); err == nil {
		t.Error("a result for what could not be applied")
	}
	var halt *fsm.Halt
	if err := <-n.fatal; !errors.As(err, &halt) {
		t.Errorf("fatal with %v", err)
	}
	n.fatal <- errKilled
	if err := n.stop(t); !errors.As(err, &halt) {
		t.Errorf("Run returned %v", err)
	}
	if len(machine.applied) != 0 {
		t.Error("something was applied after the halt")
	}
}

func TestStrangersAreRefusedBeforeDecoding(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"]
	otherCA := newTestCA(t)
	stranger := otherCA.issue(t, "n2")
	for _, tt := range []struct {
		name string
		cfg  *tls.Config
	}{
		{"no certificate", &tls.Config{RootCAs: c.ca.pool, ServerName: "n1"}},
		{"certificate of another cluster", &tls.Config{RootCAs: c.ca.pool, ServerName: "n1", Certificates: []tls.Certificate{stranger}}},
	} {
		conn, err := tls.Dial("tcp", n.address, tt.cfg)
		if err == nil { // with TLS 1.3 the refusal comes with the first read
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, _ = conn.Write([]byte{0})
			_, err = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	plain, err := net.Dial("tcp", n.address)
	if err != nil {
		t.Fatal(err)
	}
	_ = plain.SetDeadline(time.Now().Add(patience))
	_, _ = plain.Write([]byte("\x00raft in the clear, longer than a TLS record header"))
	if _, err := io.ReadAll(plain); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a plain connection stays open")
	}
	_ = plain.Close()
}

func TestDialProvesWhichNodeAnswers(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(2)
	n1, n2 := c.nodes["n1"], c.nodes["n2"]
	dial := func(id, address string) error {
		conn, err := n1.node.stream.Dial(dialTarget(raft.ServerID(id), raft.ServerAddress(address)), time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	if err := dial("n2", n2.address); err != nil {
		t.Errorf("n2 at its address: %v", err)
	}
	if err := dial("n3", n2.address); err == nil || !strings.Contains(err.Error(), "authenticate node n3") {
		t.Errorf("n2 was taken for n3: %v", err)
	}
	if _, err := n1.node.stream.Dial(raft.ServerAddress(n2.address), time.Second); err == nil {
		t.Error("dialled a target that names no node")
	}
	impostor := newCluster(t, nil)
	impostor.voters(1)
	if err := dial("n1", impostor.nodes["n1"].address); err == nil {
		t.Error("a node of another cluster was accepted")
	}
}

func TestConfigIsChecked(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	c := newCluster(t, nil)
	base := c.add("n1").config(st)
	if _, err := base.withDefaults(); err != nil {
		t.Fatalf("a good configuration: %v", err)
	}
	for name, spoil := range map[string]func(*Config){
		"no id":             func(c *Config) { c.NodeID = "" },
		"id with at sign":   func(c *Config) { c.NodeID = "a@b" },
		"no folder":         func(c *Config) { c.Dir = "" },
		"no store":          func(c *Config) { c.Store = nil },
		"open to strangers": func(c *Config) { c.ServerTLS = &tls.Config{} },
		"no client TLS":     func(c *Config) { c.ClientTLS = nil },
		"no confirm":        func(c *Config) { c.ConfirmTerm = nil },
		"no fatal":          func(c *Config) { c.Fatal = nil },
		"bad address":       func(c *Config) { c.BindAddress = "nowhere" },
		"bad advertised":    func(c *Config) { c.AdvertiseAddress = "nowhere" },
		"lease too long":    func(c *Config) { c.Timeouts.LeaderLease = time.Hour },
		"election too short": func(c *Config) {
			c.Timeouts.Heartbeat, c.Timeouts.Election = time.Second, time.Millisecond
		},
	} {
		cfg := base
		spoil(&cfg)
		if _, err := Open(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestResumeBootstrap(t *testing.T) {
	for _, tt := range []struct {
		name    string
		before  func(t *testing.T, n *testNode) // on an open node that does not run
		refused bool
	}{
		{"nothing was written but the term", func(t *testing.T, n *testNode) {
			if err := n.node.log.SetUint64([]byte("CurrentTerm"), 1); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"it was complete", func(t *testing.T, n *testNode) { bootstrap(t, n) }, false},
		{"the node has led", func(t *testing.T, n *testNode) {
			bootstrap(t, n)
			n.run(t)
			eventually(t, "leading", func() error { return errUnless(n.node.IsLeader(), "not yet") })
			if err := n.stop(t); err != nil {
				t.Fatal(err)
			}
			n.open(t)
		}, false},
		{"the node has voted", func(t *testing.T, n *testNode) {
			for _, key := range []string{"CurrentTerm", "LastVoteTerm"} {
				if err := n.node.log.SetUint64([]byte(key), 3); err != nil {
					t.Fatal(err)
				}
			}
		}, true},
		{"another node was added", func(t *testing.T, n *testNode) {
			bootstrap(t, n)
			n.run(t)
			eventually(t, "leading", func() error { return errUnless(n.node.IsLeader(), "not yet") })
			if err := n.node.AddNonvoter(testContext(t), "n2", "127.0.0.1:1"); err != nil {
				t.Fatal(err)
			}
			if err := n.stop(t); err != nil {
				t.Fatal(err)
			}
			n.open(t)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, nil)
			n := c.add("n1")
			n.open(t)
			tt.before(t, n)
			if err := n.node.ResumeBootstrap(); (err != nil) != tt.refused {
				t.Errorf("ResumeBootstrap: %v", err)
			}
			n.run(t)
			if tt.refused {
				return
			}
			eventually(t, "leading again", func() error { return errUnless(n.node.IsLeader(), "not yet") })
			n.propose(t, clusterInit())
		})
	}
}

func bootstrap(t *testing.T, n *testNode) {
	t.Helper()
	if err := n.node.Bootstrap(); err != nil {
		t.Fatal(err)
	}
}

func TestHasState(t *testing.T) {
	c := newCluster(t, nil)
	n := c.add("n1")
	n.open(t)
	if has, err := n.node.HasState(); err != nil || has {
		t.Errorf("a new node: %v, %v", has, err)
	}
	dir, st := n.node.cfg.Dir, n.store
	bootstrap(t, n)
	if err := n.node.Close(); err != nil {
		t.Fatal(err)
	}
	if has, err := HasState(dir, st); err != nil || !has {
		t.Errorf("a bootstrapped node: %v, %v", has, err)
	}
	if has, err := HasState(t.TempDir(), st); err != nil || has {
		t.Errorf("an empty folder: %v, %v", has, err)
	}
	if err := n.node.Run(context.Background()); err == nil {
		t.Error("a closed node ran")
	}
	n.node = nil
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}
