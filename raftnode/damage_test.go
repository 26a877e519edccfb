package raftnode

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

	"cadastre/store"
)

// openTestLog opens the log of an older program in dir; a fatal error goes to the channel.
func openTestLog(t *testing.T, dir string) (*logStore, chan error) {
	t.Helper()
	return openLog(t, dir, false)
}

func openLog(t *testing.T, dir string, segmented bool) (*logStore, chan error) {
	t.Helper()
	fatal := make(chan error, 4)
	l, err := openLogStore(filepath.Join(dir, "raft.db"), &watchdog{fatal: func(err error) { fatal <- err }}, segmented)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, fatal
}

func testEntries(from, to uint64) (entries []*raft.Log) {
	for i := from; i <= to; i++ {
		entries = append(entries, &raft.Log{Index: i, Term: 3, Type: raft.LogCommand, Data: []byte(strings.Repeat("entry ", 10))})
	}
	return entries
}

// rewriteEntry changes the stored octets of an entry behind the log's back.
func rewriteEntry(t *testing.T, dir string, index uint64, change func(value []byte) []byte) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "raft.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := binary.BigEndian.AppendUint64(nil, index)
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("logs"))
		value := append([]byte(nil), b.Get(key)...)
		if len(value) == 0 {
			return errors.New("no such entry")
		}
		if value = change(value); value == nil {
			return b.Delete(key)
		}
		return b.Put(key, value)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// No flip of a single bit of a stored entry is read as an entry that differs from what was
// written.
func TestEveryFlippedBitOfAnEntryIsDetected(t *testing.T) {
	dir := t.TempDir()
	l, _ := openTestLog(t, dir)
	want := testEntries(2, 2)[0]
	if err := errors.Join(l.StoreLog(want), l.Close()); err != nil {
		t.Fatal(err)
	}
	const place = 1000 // the flips go behind it, one to a key
	var bits uint64
	db, err := bbolt.Open(filepath.Join(dir, "raft.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("logs"))
		value := append([]byte(nil), b.Get(binary.BigEndian.AppendUint64(nil, 2))...)
		for bits = 0; bits < 8*uint64(len(value)); bits++ {
			flipped := append([]byte(nil), value...)
			flipped[bits/8] ^= 1 << (bits % 8)
			if err := b.Put(binary.BigEndian.AppendUint64(nil, place+bits), flipped); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	l, _ = openTestLog(t, dir)
	detected, unaffected := 0, 0
	for bit := range bits {
		var got raft.Log
		err := guardPages(func() error { return l.bolt.GetLog(place+bit, &got) })
		if err == nil {
			err = unseal(&got, 2, 1)
		}
		switch {
		case err != nil:
			detected++
		case got.Index != want.Index || got.Term != want.Term || got.Type != want.Type || string(got.Data) != string(want.Data) || len(got.Extensions) != 0:
			t.Fatalf("bit %d of octet %d: read as %+v", bit%8, bit/8, got)
		default:
			unaffected++ // in the time of appending, which decides nothing
		}
	}
	t.Logf("%d of %d flips detected, %d without effect", detected, bits, unaffected)
	if detected < 8*len(want.Data) || unaffected > detected/4 {
		t.Errorf("%d of %d flips detected, %d without effect", detected, bits, unaffected)
	}
}

func TestDamagedLogIsRefused(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir string){
		"a bit of the data": func(t *testing.T, dir string) {
			rewriteEntry(t, dir, 7, func(v []byte) []byte {
				at := strings.Index(string(v), "entry ")
				v[at] ^= 4
				return v
			})
		},
		"an entry in another's place": func(t *testing.T, dir string) {
			var other []byte
			rewriteEntry(t, dir, 6, func(v []byte) []byte { other = append(other, v...); return v })
			rewriteEntry(t, dir, 7, func([]byte) []byte { return other })
		},
		"an entry that is missing": func(t *testing.T, dir string) {
			rewriteEntry(t, dir, 7, func([]byte) []byte { return nil })
		},
		"an entry without checksum": func(t *testing.T, dir string) {
			rewriteEntry(t, dir, 7, func([]byte) []byte { return encodeStored(t, testEntries(7, 7)[0]) })
		},
		"an entry that is cut off": func(t *testing.T, dir string) {
			rewriteEntry(t, dir, 7, func(v []byte) []byte { return v[:len(v)/2] })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, _ := openTestLog(t, dir)
			if err := l.StoreLogs(testEntries(1, 9)); err != nil {
				t.Fatal(err)
			}
			if err := l.verify(); err != nil {
				t.Fatalf("an undamaged log: %v", err)
			}
			_ = l.Close()
			damage(t, dir)
			l, fatal := openTestLog(t, dir)
			err := l.verify()
			if err == nil || !strings.Contains(err.Error(), "log entry 7 in "+filepath.Join(dir, "raft.db")) || !errors.Is(err, errDamagedEntry) {
				t.Errorf("verify: %v", err)
			}
			if strings.Contains(name, "missing") {
				return
			}
			var got raft.Log
			if err := l.GetLog(7, &got); err == nil || len(got.Data) != 0 {
				t.Errorf("GetLog gave %+v, %v", got, err)
			}
			select {
			case err := <-fatal:
				if !errors.Is(err, errDamagedEntry) {
					t.Errorf("fatal with %v", err)
				}
			default:
				t.Error("reading it did not end the node")
			}
		})
	}
}

// A log that an older program began is read, and what is added to it is sealed.
func TestLogOfAnOlderProgramIsRead(t *testing.T) {
	dir := t.TempDir()
	old, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, "raft.db"), MsgpackUseNewTimeFormat: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(old.StoreLogs(testEntries(1, 4)), old.Close()); err != nil {
		t.Fatal(err)
	}
	l, _ := openTestLog(t, dir)
	if err := errors.Join(l.StoreLogs(testEntries(4, 6)), l.Close()); err != nil { // 4 is replaced
		t.Fatal(err)
	}
	l, _ = openTestLog(t, dir)
	if l.entries.(*boltEntries).sealedFrom != 5 {
		t.Errorf("sealed from %d", l.entries.(*boltEntries).sealedFrom)
	}
	if err := errors.Join(l.verify(), l.Close()); err != nil {
		t.Error(err)
	}
	rewriteEntry(t, dir, 5, func([]byte) []byte { return encodeStored(t, testEntries(5, 5)[0]) })
	l, _ = openTestLog(t, dir)
	if err := l.verify(); !errors.Is(err, errDamagedEntry) {
		t.Errorf("an unsealed entry where all are sealed: %v", err)
	}
}

func encodeStored(t *testing.T, entry *raft.Log) (value []byte) {
	t.Helper()
	dir := t.TempDir()
	bolt, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, "raft.db"), MsgpackUseNewTimeFormat: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(bolt.StoreLog(entry), bolt.Close()); err != nil {
		t.Fatal(err)
	}
	rewriteEntry(t, dir, entry.Index, func(v []byte) []byte { value = v; return v })
	return value
}

// A flipped bit in the file of a stopped node ends the node when it is started, with a
// message that says where; the others go on, and the node comes back when it is cleared.
func TestNodeWithADamagedLogIsRebuilt(t *testing.T) {
	t.Run("in segments", func(t *testing.T) {
		testRebuild(t, filepath.Join("log", "00000000000000000001.log"), nil)
	})
	t.Run("of an older program", func(t *testing.T) {
		testRebuild(t, "raft.db", func(cfg *Config) { beginOlderLog(t, cfg.Dir) })
	})
}

// beginOlderLog makes an empty log such as older programs have, with which a node goes on.
func beginOlderLog(t *testing.T, dir string) {
	t.Helper()
	l, err := openLogStore((&Config{Dir: dir}).logPath(), &watchdog{fatal: func(err error) { t.Error(err) }}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func testRebuild(t *testing.T, file string, configure func(*Config)) {
	c := newCluster(t, configure)
	c.voters(3)
	c.leader().propose(t, clusterInit())
	c.register(0, 30)
	c.agree("n1", "n2", "n3")
	victim := c.nodes["n3"]
	if err := victim.stop(t); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(victim.dir, "raft", file)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, number := range []int{0, 11, 29} {
		data := append([]byte(nil), whole...)
		for at := 0; ; { // the page copies that bbolt no longer uses hold old entries too
			next := strings.Index(string(data[at:]), registrarID(number)+"\x12")
			if next < 0 {
				break
			}
			data[at+next] ^= 1
			at += next + 1
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		st, err := store.Open(filepath.Join(victim.dir, "store"))
		if err != nil {
			t.Fatal(err)
		}
		node, err := Open(victim.config(st))
		switch {
		case err == nil:
			t.Errorf("registrar %d: the node opened", number)
			_ = node.Close()
		case !strings.Contains(err.Error(), "log entry ") || !strings.Contains(err.Error(), path) || !errors.Is(err, errDamagedEntry):
			t.Errorf("registrar %d: %v", number, err)
		default:
			refused++
		}
		_ = st.Close()
		select {
		case err := <-victim.fatal: // where the state ends, the entry is read in any case
			t.Logf("reported as well: %v", err)
		default:
		}
	}
	if refused != 3 {
		t.Errorf("%d of 3 flips refused", refused)
	}
	c.register(30, 40) // the others go on
	leader := c.leader()
	if err := leader.node.RemoveServer(testContext(t), "n3"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"raft", "store"} {
		if err := os.RemoveAll(filepath.Join(victim.dir, dir)); err != nil {
			t.Fatal(err)
		}
	}
	victim.start(t)
	if err := leader.node.AddVoter(testContext(t), "n3", victim.address); err != nil {
		t.Fatal(err)
	}
	c.register(40, 42)
	c.agree("n1", "n2", "n3")
}
