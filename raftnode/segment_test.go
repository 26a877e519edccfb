package raftnode

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"pgregory.net/rapid"
)

func openTestSegments(t *testing.T, dir string) *segmentLog {
	t.Helper()
	l, err := openSegments(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// writeBatches appends batches of so many entries each and returns where each batch begins in
// the only segment, and where the last one ends.
func writeBatches(t *testing.T, dir string, sizes ...int) (edges []int64) {
	t.Helper()
	l := openTestSegments(t, dir)
	next := uint64(1)
	edges = append(edges, segmentHead)
	for _, size := range sizes {
		entries := testEntries(next, next+uint64(size)-1)
		for i, e := range entries {
			e.Data = append(e.Data, strings.Repeat("x", 37*(i+1)%1500)...)
			e.AppendedAt = time.Unix(1_700_000_000, int64(i))
		}
		if err := l.append(entries); err != nil {
			t.Fatal(err)
		}
		next += uint64(size)
		edges = append(edges, l.segments[0].end)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return edges
}

// readAll opens the log as a node does and reads all of it.
func readAll(dir string) (entries []raft.Log, err error) {
	l, err := openSegments(dir, false)
	if err != nil {
		return nil, err
	}
	first, last, err := l.bounds()
	for index := first; err == nil && index <= last && last > 0; index++ {
		var e raft.Log
		err = l.read(index, &e)
		entries = append(entries, e)
	}
	return entries, errors.Join(err, l.Close())
}

func onlySegment(dir string) string { return segmentPath(dir, 1) }

// No flip of a single bit anywhere in a segment is read as something else than what was
// written, or passes for the end of the log.
func TestEveryFlippedBitOfASegmentIsDetected(t *testing.T) {
	dir := t.TempDir()
	writeBatches(t, dir, 2, 1, 3)
	want, err := readAll(dir)
	if err != nil || len(want) != 6 {
		t.Fatal(len(want), err)
	}
	whole, err := os.ReadFile(onlySegment(dir))
	if err != nil {
		t.Fatal(err)
	}
	flips := 0
	for at := range whole {
		bit := at % 8
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 1 << bit
		if err := os.WriteFile(onlySegment(dir), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(dir); !errors.Is(err, errDamagedEntry) || !strings.Contains(err.Error(), dir) {
			t.Fatalf("bit %d of octet %d: read %d entries, %v", bit, at, len(got), err)
		}
		if left, err := os.ReadFile(onlySegment(dir)); err != nil || len(left) != len(whole) {
			t.Fatalf("bit %d of octet %d: the file was cut to %d octets, %v", bit, at, len(left), err)
		}
		flips++
	}
	t.Logf("proved: %d flips, one in each octet, all refused", flips)
}

// A crash cuts off the batch that was being written, and nothing else, wherever the file ends
// and whichever sectors were written.
func TestTornBatchIsCutOff(t *testing.T) {
	dir := t.TempDir()
	edges := writeBatches(t, dir, 3, 2, 4)
	whole, err := os.ReadFile(onlySegment(dir))
	if err != nil {
		t.Fatal(err)
	}
	want, err := readAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(onlySegment(dir), content, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(dir)
		if err != nil || len(got) < 5 || !cmp.Equal(got, want[:len(got)]) {
			t.Fatalf("%s: %d entries, %v", what, len(got), err)
		}
		l := openTestSegments(t, dir) // it goes on from there
		if err := l.append(testEntries(uint64(len(got)+1), uint64(len(got)+1))); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if again, err := readAll(dir); err != nil || len(again) != len(got)+1 {
			t.Fatalf("%s, and then one more: %d entries, %v", what, len(again), err)
		}
	}
	begin := int(edges[2])
	for end := begin; end < len(whole); end += 97 {
		check(fmt.Sprintf("the file ends at %d", end), whole[:end])
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 { // sectors of the last batch that were not written are zero
		content := append([]byte(nil), whole...)
		lost := 0
		for from := begin; from < len(content); {
			to := min(len(content), from+sectorBytes-from%sectorBytes)
			if random.IntN(2) == 0 {
				clear(content[from:to])
				lost++
			}
			from = to
		}
		if lost > 0 {
			check(fmt.Sprintf("%d sectors lost", lost), content)
		}
	}
}

// What a later batch proves to have been on disk is never cut off.
func TestLostSectorOfASyncedBatchIsDamage(t *testing.T) {
	dir := t.TempDir()
	edges := writeBatches(t, dir, 30, 3, 4)
	whole, err := os.ReadFile(onlySegment(dir))
	if err != nil {
		t.Fatal(err)
	}
	for from := sectorBytes; from+sectorBytes < int(edges[2]); from += sectorBytes {
		content := append([]byte(nil), whole...)
		clear(content[from : from+sectorBytes])
		if err := os.WriteFile(onlySegment(dir), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(dir); !errors.Is(err, errDamagedEntry) {
			t.Fatalf("sector at %d: %d entries, %v", from, len(got), err)
		}
	}
}

func TestMissingSegmentIsDamage(t *testing.T) {
	dir := t.TempDir()
	l := openTestSegments(t, dir)
	l.limit = 1
	for i := uint64(1); i <= 9; i += 3 {
		if err := l.append(testEntries(i, i+2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(segmentPath(dir, 4)); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(dir); !errors.Is(err, errDamagedEntry) || !strings.Contains(err.Error(), "log entry 4 ") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "4.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(dir); err == nil || !strings.Contains(err.Error(), "no file of a log") {
		t.Error(err)
	}
}

// A segment that was begun, and not yet written to when the node was killed, is no damage.
func TestSegmentThatWasOnlyBegun(t *testing.T) {
	for name, content := range map[string][]byte{
		"empty": {}, "half a head": appendSegmentHead(nil, 7)[:9], "zeros": make([]byte, 4096), "a head": appendSegmentHead(nil, 7),
	} {
		dir := t.TempDir()
		writeBatches(t, dir, 6)
		if err := os.WriteFile(segmentPath(dir, 7), content, 0o600); err != nil {
			t.Fatal(err)
		}
		l := openTestSegments(t, dir)
		if first, last, err := l.bounds(); first != 1 || last != 6 || err != nil {
			t.Errorf("%s: %d to %d, %v", name, first, last, err)
		}
		if err := errors.Join(l.append(testEntries(7, 8)), l.Close()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := readAll(dir); err != nil || len(got) != 8 {
			t.Errorf("%s: %d entries, %v", name, len(got), err)
		}
	}
}

// The log does what a list does, across files and restarts.
func TestSegmentsAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "segments-")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		limit := int64(rapid.IntRange(1, 5000).Draw(t, "limit"))
		open := func() *segmentLog {
			l, err := openSegments(dir, false)
			if err != nil {
				t.Fatal(err)
			}
			l.limit = limit
			return l
		}
		l := open()
		defer func() { _ = l.Close() }()
		var model []*raft.Log
		term := uint64(1)
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				from := uint64(rapid.IntRange(1, 50).Draw(t, "from"))
				if n := len(model); n > 0 {
					// on from the end, over the end of it, or behind a gap
					from = model[n-1].Index + 1 - min(model[n-1].Index, uint64(rapid.SampledFrom([]int{0, 0, 0, 0, 3}).Draw(t, "over"))) + uint64(rapid.SampledFrom([]int{0, 0, 0, 0, 9}).Draw(t, "gap"))
				}
				from = max(from, 1)
				term++
				var batch []*raft.Log
				for i := range uint64(rapid.IntRange(1, 20).Draw(t, "count")) {
					batch = append(batch, &raft.Log{Index: from + i, Term: term, Type: raft.LogType(i % 3), Data: make([]byte, rapid.IntRange(0, 700).Draw(t, "size"))})
				}
				if err := l.append(batch); err != nil {
					t.Fatal(err)
				}
				switch n := len(model); {
				case n == 0 || from > model[n-1].Index+1 || from <= model[0].Index:
					model = nil
				default:
					model = model[:from-model[0].Index]
				}
				model = append(model, batch...)
			},
			"cut": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				first, last := model[0].Index, model[len(model)-1].Index
				at := rapid.Uint64Range(first, last).Draw(t, "at")
				if rapid.Bool().Draw(t, "suffix") {
					err = l.deleteRange(at, last)
					model = model[:at-first]
				} else {
					err = l.deleteRange(first, at)
					model = model[at-first+1:]
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) {
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				l = open()
			},
			"": func(t *rapid.T) {
				first, last, err := l.bounds()
				if err != nil {
					t.Fatal(err)
				}
				if len(model) == 0 {
					if first != 0 || last != 0 {
						t.Fatalf("%d to %d, want nothing", first, last)
					}
					return
				}
				if first != model[0].Index || last != model[len(model)-1].Index {
					t.Fatalf("%d to %d, want %d to %d", first, last, model[0].Index, model[len(model)-1].Index)
				}
				for _, index := range []uint64{first, (first + last) / 2, last} {
					var got raft.Log
					want := model[index-first]
					if err := l.read(index, &got); err != nil || got.Term != want.Term || got.Type != want.Type || string(got.Data) != string(want.Data) {
						t.Fatalf("entry %d: %v, %v; want %v", index, got, err, want)
					}
				}
				var none raft.Log
				if err := errors.Join(l.read(first-1, &none), l.read(last+1, &none)); !errors.Is(err, raft.ErrLogNotFound) {
					t.Fatal(err)
				}
			},
		})
	})
}

// The log of an older program is moved as a whole, at whatever step the first attempts end,
// and is closed to that program.
func TestLogOfAnOlderProgramIsMoved(t *testing.T) {
	for _, step := range []string{"", "half copied", "in place", "closed in part"} {
		t.Run(step, func(t *testing.T) {
			dir := t.TempDir()
			l, _ := openTestLog(t, dir)
			want := testEntries(5, 4000)
			want[7].Extensions = []byte("of raft")
			if err := errors.Join(l.StoreLogs(want), l.SetUint64([]byte(currentTermKey), 3), l.DeleteRange(5, 10)); err != nil {
				t.Fatal(err)
			}
			want = want[6:]
			old, _ := l.entries.(*boltEntries)
			switch step {
			case "half copied":
				if err := os.MkdirAll(segmentDir(l.path)+".new", 0o700); err != nil {
					t.Fatal(err)
				}
				half := openTestSegments(t, segmentDir(l.path)+".new")
				if err := errors.Join(half.append(testEntries(11, 500)), half.Close()); err != nil {
					t.Fatal(err)
				}
			case "in place", "closed in part":
				if err := moveToSegments(old, segmentDir(l.path)); err != nil {
					t.Fatal(err)
				}
			}
			if step == "closed in part" {
				if err := l.bolt.StoreLogs([]*raft.Log{{Index: closedLast}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time it is just opened
				l, _ = openLog(t, dir, true)
				if err := l.verify(); err != nil {
					t.Fatal(err)
				}
				if term, err := l.GetUint64([]byte(currentTermKey)); err != nil || term != 3 {
					t.Errorf("the term is %d, %v", term, err)
				}
				first, last, err := l.bounds()
				if err != nil || first != 11 || last != 4000 {
					t.Fatalf("moved %d to %d, %v", first, last, err)
				}
				for _, e := range want {
					var got raft.Log
					if err := l.GetLog(e.Index, &got); err != nil || !cmp.Equal(&got, e) {
						t.Fatalf("entry %d: %s, %v", e.Index, cmp.Diff(e, &got), err)
					}
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
			// What the older program does with the file: look whether the log fits the state, and
			// read all of it.
			fatal := make(chan error, 4)
			bolt := l.reopenBolt(t)
			older := &logStore{path: l.path, bolt: bolt, entries: &boltEntries{path: l.path, bolt: bolt}, dog: &watchdog{fatal: func(err error) { fatal <- err }}, cache: newEntryCache()}
			if _, err := older.reconcile(position{index: 4000, term: 3}); err == nil {
				t.Error("the older program finds its log fit for the state")
			}
			if err := older.verify(); !errors.Is(err, errDamagedEntry) {
				t.Errorf("the older program reads its log: %v", err)
			}
			if first, last, _ := older.bounds(); first == 0 && last == 0 {
				t.Error("to the older program the log looks empty")
			}
		})
	}
}

// A damaged log is not moved.
func TestDamagedLogOfAnOlderProgramIsNotMoved(t *testing.T) {
	dir := t.TempDir()
	l, _ := openTestLog(t, dir)
	if err := errors.Join(l.StoreLogs(testEntries(1, 9)), l.Close()); err != nil {
		t.Fatal(err)
	}
	rewriteEntry(t, dir, 7, func(v []byte) []byte { v[strings.Index(string(v), "entry ")] ^= 4; return v })
	_, err := openLogStore(l.path, &watchdog{fatal: func(error) {}}, true)
	if !errors.Is(err, errDamagedEntry) || !strings.Contains(err.Error(), "log entry 7 in "+l.path) {
		t.Error(err)
	}
	if _, err := os.Stat(segmentDir(l.path)); err == nil {
		t.Error("there is a new log")
	}
}

func (l *logStore) reopenBolt(t *testing.T) *raftboltdb.BoltStore {
	t.Helper()
	bolt, err := raftboltdb.New(boltOptions(l.path, false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bolt.Close() })
	return bolt
}
