package raftnode

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pipeCheckpoint sends a checkpoint of the node through a pipe into dir.
func pipeCheckpoint(t *testing.T, n *Node, dir string) uint64 {
	t.Helper()
	reader, writer := io.Pipe()
	type sent struct {
		index uint64
		err   error
	}
	done := make(chan sent, 1)
	go func() {
		index, err := n.WriteCheckpoint(testContext(t), writer)
		_ = writer.CloseWithError(err)
		done <- sent{index, err}
	}()
	if err := UnpackCheckpoint(reader, dir); err != nil {
		t.Fatalf("unpack: %v", err)
	}
	s := <-done
	if s.err != nil {
		t.Fatalf("write: %v", s.err)
	}
	return s.index
}

// frame makes a stream with any manifest.
func frame(manifest, contents string) []byte {
	sum := sha256.Sum256([]byte(manifest))
	out := append([]byte(streamMagic), binary.BigEndian.AppendUint32(nil, uint32(len(manifest)))...)
	return append(append(append(out, sum[:]...), manifest...), contents...)
}

const (
	sumOfA     = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
	goodStream = `{"index":7,"term":2,"files":[{"name":"000001.sst","bytes":1,"sha256":"` + sumOfA + `"},{"name":"MANIFEST","bytes":1,"sha256":"` + sumOfA + `"}]}`
)

func TestUnpackCheckpoint(t *testing.T) {
	oneFile := func(name, bytes, sum string) string {
		return `{"index":7,"term":2,"files":[{"name":"` + name + `","bytes":` + bytes + `,"sha256":"` + sum + `"}]}`
	}
	for _, tt := range []struct {
		name   string
		stream []byte
		ok     bool
	}{
		{"good", frame(goodStream, "aa"), true},
		{"empty", nil, false},
		{"other magic", bytes.Replace(frame(goodStream, "aa"), []byte("CADCKPT1"), []byte("CADCKPT2"), 1), false},
		{"manifest changed", bytes.Replace(frame(goodStream, "aa"), []byte(`"index":7`), []byte(`"index":8`), 1), false},
		{"cut in the header", frame(goodStream, "aa")[:20], false},
		{"cut in the manifest", frame(goodStream, "aa")[:80], false},
		{"cut in a file", frame(goodStream, "a"), false},
		{"octets after the end", frame(goodStream, "aab"), false},
		{"wrong content", frame(goodStream, "ab"), false},
		{"no position", frame(`{"files":[{"name":"x","bytes":0,"sha256":"`+sumOfA+`"}]}`, ""), false},
		{"no files", frame(`{"index":7,"term":2,"files":[]}`, ""), false},
		{"not JSON", frame(`{"index":`, ""), false},
		{"climbs up", frame(oneFile("../evil", "1", sumOfA), "a"), false},
		{"absolute", frame(oneFile("/tmp/evil", "1", sumOfA), "a"), false},
		{"subfolder", frame(oneFile("a/b", "1", sumOfA), "a"), false},
		{"backslash", frame(oneFile(`a\\b`, "1", sumOfA), "a"), false},
		{"hidden", frame(oneFile("..", "1", sumOfA), "a"), false},
		{"no name", frame(oneFile("", "1", sumOfA), "a"), false},
		{"long name", frame(oneFile(strings.Repeat("x", 200), "1", sumOfA), "a"), false},
		{"negative size", frame(oneFile("x", "-1", sumOfA), "a"), false},
		{"huge size", frame(oneFile("x", "9223372036854775807", sumOfA), "a"), false},
		{"short sum", frame(oneFile("x", "1", "ca97"), "a"), false},
		{"twice the same name", frame(strings.ReplaceAll(goodStream, "MANIFEST", "000001.sst"), "aa"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "in", "cp")
			if err := os.Mkdir(filepath.Dir(dir), 0o700); err != nil {
				t.Fatal(err)
			}
			err := UnpackCheckpoint(bytes.NewReader(tt.stream), dir)
			if tt.ok {
				got, readErr := os.ReadFile(filepath.Join(dir, "MANIFEST"))
				if err != nil || readErr != nil || string(got) != "a" {
					t.Errorf("good stream: %v, %q, %v", err, got, readErr)
				}
				return
			}
			if !errors.Is(err, ErrBadCheckpoint) {
				t.Errorf("got %v", err)
			}
			left, readErr := filepath.Glob(filepath.Join(parent, "*", "*"))
			if readErr != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, readErr)
			}
		})
	}
}

func TestUnpackCheckpointKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := UnpackCheckpoint(bytes.NewReader(frame(goodStream, "aa")), dir); !errors.Is(err, os.ErrExist) {
		t.Errorf("unpacked over an existing folder: %v", err)
	}
}

func TestCheckpointStreamHasTheSizeItAnnounces(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	meta, reader, err := n.node.snapshots.Open(stateID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.Copy(io.Discard, reader)
	if err != nil || got != meta.Size || meta.Index != n.node.AppliedIndex() {
		t.Errorf("%d octets of %d, index %d, %v", got, meta.Size, meta.Index, err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(n.node.cfg.outgoingDir()); err != nil || len(left) != 0 {
		t.Errorf("left in the outgoing folder: %v, %v", left, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := n.node.WriteCheckpoint(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	var open []io.Closer
	for range maxCheckpoints {
		_, r, err := n.node.snapshots.Open(stateID)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, r)
	}
	if _, _, err := n.node.snapshots.Open(stateID); err == nil {
		t.Error("more checkpoints than the bound")
	}
	for _, r := range open {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRepeatDetector(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		name    string
		indexes []uint64
		apart   time.Duration
		want    bool
	}{
		{"a circle", []uint64{9, 9, 8, 9, 9}, time.Second, true},
		{"progress", []uint64{1, 2, 3, 4, 5, 6, 7}, time.Second, false},
		{"few", []uint64{9, 9, 9, 9}, time.Second, false},
		{"over a long time", []uint64{9, 9, 9, 9, 9, 9, 9}, repeatedInstallPeriod / 3, false},
	} {
		var d repeatDetector
		got := false
		for i, index := range tt.indexes {
			got = d.note(index, start.Add(time.Duration(i)*tt.apart))
		}
		if got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func FuzzUnpackCheckpoint(f *testing.F) {
	f.Add(frame(goodStream, "aa"))
	f.Add(frame(goodStream, "a"))
	f.Add(frame(`{"index":7,"term":2,"files":[{"name":"../x","bytes":1,"sha256":"`+sumOfA+`"}]}`, "a"))
	f.Add([]byte(streamMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "cp")
		err := UnpackCheckpoint(bytes.NewReader(data), dir)
		entries, readErr := os.ReadDir(parent)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if want := err == nil; (len(entries) == 1) != want || len(entries) > 1 {
			t.Errorf("error %v, but there are %v", err, entries)
		}
	})
}
