package raftnode

import (
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// rewriteVariables changes the durable variables in the file of a closed log.
func rewriteVariables(t *testing.T, dir string, change func(b *bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "raft.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket([]byte("conf"))) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// writeVote has the log hold a term and a vote.
func writeVote(t *testing.T, dir string) {
	t.Helper()
	l, _ := openTestLog(t, dir)
	err := errors.Join(l.SetUint64([]byte("CurrentTerm"), 6), l.SetUint64([]byte("CurrentTerm"), 7),
		l.SetUint64([]byte("LastVoteTerm"), 7), l.Set([]byte("LastVoteCand"), []byte("10.0.0.1:7946")), l.Close())
	if err != nil {
		t.Fatal(err)
	}
}

// No flip of a single bit of a variable or of its copy is read as another value than what
// was written, and none passes unnoticed.
func TestEveryFlippedBitOfAVariableIsDetected(t *testing.T) {
	dir := t.TempDir()
	writeVote(t, dir)
	flips := 0
	for _, name := range raftVariables() {
		for _, key := range []string{name, stableCopyPrefix + name} {
			var whole []byte
			rewriteVariables(t, dir, func(b *bbolt.Bucket) error { whole = append(whole, b.Get([]byte(key))...); return nil })
			for bit := range 8 * len(whole) {
				if bit%3 != 0 { // a third of them is enough to try each octet
					continue
				}
				flips++
				rewriteVariables(t, dir, func(b *bbolt.Bucket) error {
					flipped := append([]byte(nil), whole...)
					flipped[bit/8] ^= 1 << (bit % 8)
					return b.Put([]byte(key), flipped)
				})
				l, err := openLogStore(filepath.Join(dir, "raft.db"), &watchdog{fatal: func(error) {}}, false)
				if err == nil {
					t.Fatalf("bit %d of %s: the log was opened (%v)", bit, key, l.Close())
				}
				if !errors.Is(err, errDamagedVariable) || !strings.Contains(err.Error(), name+" in "+dir) {
					t.Fatalf("bit %d of %s: %v", bit, key, err)
				}
			}
			rewriteVariables(t, dir, func(b *bbolt.Bucket) error { return b.Put([]byte(key), whole) })
		}
	}
	l, _ := openTestLog(t, dir)
	if term, err := l.GetUint64([]byte("CurrentTerm")); err != nil || term != 7 {
		t.Errorf("the undamaged term is %d, %v", term, err)
	}
	t.Logf("proved: %d flips of bits of term, vote and their copies, all refused when the log is opened", flips)
}

func TestMissingVariablesAreDetected(t *testing.T) {
	for name, drop := range map[string][]string{
		"the term":          {"CurrentTerm"},
		"the term's copy":   {stableCopyPrefix + "CurrentTerm"},
		"the vote":          {"LastVoteCand"},
		"the vote's copy":   {stableCopyPrefix + "LastVoteTerm"},
		"a term set back":   nil,
		"a vote put back":   nil,
		"copy put in place": nil,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeVote(t, dir)
			rewriteVariables(t, dir, func(b *bbolt.Bucket) error {
				switch name {
				case "a term set back":
					return b.Put([]byte("CurrentTerm"), binary.BigEndian.AppendUint64(nil, 3))
				case "a vote put back":
					return b.Put([]byte("LastVoteCand"), []byte("10.0.0.2:7946"))
				case "copy put in place": // of another variable
					return b.Put([]byte(stableCopyPrefix+"LastVoteTerm"), b.Get([]byte(stableCopyPrefix+"CurrentTerm")))
				}
				for _, key := range drop {
					if err := b.Delete([]byte(key)); err != nil {
						return err
					}
				}
				return nil
			})
			_, err := openLogStore(filepath.Join(dir, "raft.db"), &watchdog{fatal: func(error) {}}, false)
			if !errors.Is(err, errDamagedVariable) {
				t.Errorf("opened with %v", err)
			}
		})
	}
}

// A crash between the two writes leaves the copy ahead: the value in place counts, which
// raft has not acted beyond.
func TestCrashBetweenAVariableAndItsCopy(t *testing.T) {
	dir := t.TempDir()
	writeVote(t, dir)
	eight := binary.BigEndian.AppendUint64(nil, 8)
	rewriteVariables(t, dir, func(b *bbolt.Bucket) error {
		seven := b.Get([]byte("CurrentTerm"))
		return b.Put([]byte(stableCopyPrefix+"CurrentTerm"), encodeStableCopy([]byte("CurrentTerm"), eight, seven))
	})
	l, _ := openTestLog(t, dir)
	if term, err := l.GetUint64([]byte("CurrentTerm")); err != nil || term != 7 {
		t.Errorf("the term is %d, %v", term, err)
	}
	if err := l.SetUint64([]byte("CurrentTerm"), 9); err != nil {
		t.Fatal(err)
	}
	if term, err := l.GetUint64([]byte("CurrentTerm")); err != nil || term != 9 {
		t.Errorf("then the term is %d, %v", term, err)
	}
}

// The variables of a log that an older program wrote get their copies, and a damage is final
// while the node runs too.
func TestVariablesOfAnOlderProgramGetCopies(t *testing.T) {
	dir := t.TempDir()
	old, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, "raft.db"), MsgpackUseNewTimeFormat: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(old.SetUint64([]byte("CurrentTerm"), 5), old.SetUint64([]byte("LastVoteTerm"), 5), old.Set([]byte("LastVoteCand"), []byte("a")), old.Close()); err != nil {
		t.Fatal(err)
	}
	l, fatal := openTestLog(t, dir)
	if term, err := l.GetUint64([]byte("CurrentTerm")); err != nil || term != 5 {
		t.Errorf("the term is %d, %v", term, err)
	}
	if err := l.bolt.SetUint64([]byte("CurrentTerm"), 4); err != nil { // behind the log's back
		t.Fatal(err)
	}
	if term, err := l.GetUint64([]byte("CurrentTerm")); !errors.Is(err, errDamagedVariable) {
		t.Errorf("a term set back is read as %d, %v", term, err)
	}
	select {
	case err := <-fatal:
		if !errors.Is(err, errDamagedVariable) {
			t.Errorf("fatal with %v", err)
		}
	default:
		t.Error("reading it did not end the node")
	}
}
