package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

// faultyLine is a line to a node that spoils what passes over it. Only what a test sets
// happens.
type faultyLine struct {
	clusterpb.PeerClient

	mu sync.Mutex
	// breakAfter is after how many octets of a file each stream breaks; 0: never.
	breakAfter int
	// dead says that every call fails from now on; dieAfter makes it so after so many octets.
	dead     bool
	dieAfter int
	// flip spoils an octet of every chunk.
	flip bool
	// wrongHash spoils what the node says of its state.
	wrongHash bool
	offsets   []int64
	octets    int
}

var errLine = errors.New("the line is down")

func (l *faultyLine) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

func (l *faultyLine) Status(ctx context.Context, in *clusterpb.StatusRequest, opts ...grpc.CallOption) (*clusterpb.StatusResponse, error) {
	if l.isDead() {
		return nil, errLine
	}
	return l.PeerClient.Status(ctx, in, opts...)
}

func (l *faultyLine) SeedManifest(ctx context.Context, in *clusterpb.SeedManifestRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[clusterpb.SeedManifestPart], error) {
	if l.isDead() {
		return nil, errLine
	}
	stream, err := l.PeerClient.SeedManifest(ctx, in, opts...)
	return &faultyManifest{ServerStreamingClient: stream, line: l}, err
}

type faultyManifest struct {
	grpc.ServerStreamingClient[clusterpb.SeedManifestPart]
	line *faultyLine
}

func (m *faultyManifest) Recv() (*clusterpb.SeedManifestPart, error) {
	part, err := m.ServerStreamingClient.Recv()
	if err == nil && part.GetDone() && m.line.wrongHash {
		part.StateHash[0] ^= 1
	}
	return part, err
}

func (l *faultyLine) SeedRead(ctx context.Context, in *clusterpb.SeedReadRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[clusterpb.SeedChunk], error) {
	if l.isDead() {
		return nil, errLine
	}
	l.mu.Lock()
	l.offsets = append(l.offsets, in.GetOffset())
	if l.breakAfter > 0 || l.dieAfter > 0 {
		in.Zstd = false // pieces of a compressed chunk are of no use
	}
	l.mu.Unlock()
	stream, err := l.PeerClient.SeedRead(ctx, in, opts...)
	return &faultyRead{ServerStreamingClient: stream, line: l}, err
}

type faultyRead struct {
	grpc.ServerStreamingClient[clusterpb.SeedChunk]
	line   *faultyLine
	passed int
	broken bool
}

func (r *faultyRead) Recv() (*clusterpb.SeedChunk, error) {
	if r.broken || r.line.isDead() {
		return nil, errLine
	}
	chunk, err := r.ServerStreamingClient.Recv()
	if err != nil {
		return nil, err
	}
	r.line.mu.Lock()
	defer r.line.mu.Unlock()
	if r.line.flip && len(chunk.Data) > 0 {
		chunk.Data[len(chunk.Data)/2] ^= 1
	}
	if limit := r.line.breakAfter; limit > 0 && r.passed+len(chunk.Data) > limit {
		chunk.Data = chunk.Data[:limit-r.passed]
		r.broken = true
	}
	r.passed += len(chunk.Data)
	r.line.octets += len(chunk.Data)
	if r.line.dieAfter > 0 && r.line.octets > r.line.dieAfter {
		r.line.dead = true
	}
	return chunk, nil
}

// seedBed is a cluster of three with some state, and lines to its nodes.
type seedBed struct {
	*realCluster
	lines map[string]*faultyLine
	index uint64 // of everything that was written
}

func newSeedBed(t *testing.T) *seedBed {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes; not in -short")
	}
	b := &seedBed{realCluster: startRealCluster(t)}
	for i := range 40 {
		err := b.execute(t, "n1", &fsmpb.Command{Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
			Id: fmt.Sprintf("reg-%d", i), Name: strings.Repeat("x", 200), Currency: "EUR", Roid: fmt.Sprintf("R%d", i)}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	at, err := b.admin(t, "n1").StateHash(testContext(t), &clusterpb.StateHashRequest{})
	if err != nil {
		t.Fatal(err)
	}
	b.index = at.GetIndex()
	return b
}

// puller makes n4 a member that has no state yet, and pulls for it over fresh lines.
func (b *seedBed) puller(t *testing.T, dir string) *puller {
	t.Helper()
	b.lines = map[string]*faultyLine{}
	creds := credentialsOf(t, b.ca, KindNode, "n1") // a member, which n1 is
	for _, id := range []string{"n1", "n2", "n3"} {
		conn, err := Dial(creds, id, b.children[id].GRPC)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		b.lines[id] = &faultyLine{PeerClient: clusterpb.NewPeerClient(conn)}
	}
	cfg := PullConfig{NodeID: "n1", ClusterID: b.ca.ClusterID(), Dir: dir, MinIndex: b.index, Log: testLog(t)}
	return newPuller(cfg, func(context.Context) ([]*pullSource, error) {
		var list []*pullSource
		for id, line := range b.lines {
			list = append(list, &pullSource{nodeID: id, client: line})
		}
		return list, nil
	})
}

// checkPulled pulls and compares the result with what the cluster knows.
func (b *seedBed) checkPulled(t *testing.T, p *puller) {
	t.Helper()
	held, err := p.pull(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	err = store.InspectCheckpoint(filepath.Join(p.cfg.Dir, pullState), func(tx *store.ReadTx) error {
		if _, ok := tx.Registrar("reg-39"); !ok {
			t.Error("the state lacks what was written before")
		}
		if index, _ := tx.Applied(); index != held.Index || !bytes.Equal(tx.VerifyStateHash(), held.StateHash) {
			t.Errorf("the state is at %d, not %d, or its rows are others", index, held.Index)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(p.cfg.Dir, pullBlobDir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was fetched is still there: %v", err)
	}
}

func TestPull(t *testing.T) {
	b := newSeedBed(t)
	t.Run("breaks all the time", func(t *testing.T) {
		p := b.puller(t, t.TempDir())
		for _, line := range b.lines {
			line.breakAfter = 1000
		}
		b.checkPulled(t, p)
		resumed := 0
		for _, line := range b.lines {
			for _, offset := range line.offsets {
				if offset > 0 {
					resumed++
				}
			}
		}
		if resumed == 0 {
			t.Error("no file was gone on with where it broke")
		}
		if at := p.progress(); at.FetchedBytes != at.TotalBytes || at.WireBytes > at.TotalBytes {
			t.Errorf("at the end the progress is %+v: octets came twice or not at all", at)
		}
	})
	t.Run("source dies in the middle", func(t *testing.T) {
		p := b.puller(t, t.TempDir())
		for _, id := range []string{"n1", "n2"} {
			b.lines[id].breakAfter, b.lines[id].dieAfter = 700, 2000
		}
		b.checkPulled(t, p)
		if at := p.progress(); at.Source != "n3" {
			t.Errorf("the state came from %q", at.Source)
		}
	})
	t.Run("spoilt in transit", func(t *testing.T) {
		p := b.puller(t, t.TempDir())
		b.lines["n1"].flip, b.lines["n3"].flip = true, true
		b.checkPulled(t, p)
		if at := p.progress(); at.Source != "n2" {
			t.Errorf("the state came from %q", at.Source)
		}
	})
	t.Run("another hash than the others", func(t *testing.T) {
		p := b.puller(t, t.TempDir())
		b.lines["n2"].wrongHash, b.lines["n3"].wrongHash = true, true
		b.checkPulled(t, p)
		if at := p.progress(); at.Source != "n1" {
			t.Errorf("the state came from %q", at.Source)
		}
	})
	t.Run("all spoilt", func(t *testing.T) {
		p := b.puller(t, t.TempDir())
		for _, line := range b.lines {
			line.wrongHash = true
		}
		ctx, cancel := context.WithTimeout(testContext(t), 3*time.Second)
		defer cancel()
		if _, err := p.pull(ctx); !errors.Is(err, errBadSource) {
			t.Errorf("a state that nobody vouches for: %v", err)
		}
		if _, err := os.Stat(filepath.Join(p.cfg.Dir, pullState)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it was put in place: %v", err)
		}
	})
	t.Run("what was kept is spoilt", func(t *testing.T) {
		dir := t.TempDir()
		first := b.puller(t, dir)
		for _, line := range b.lines {
			line.breakAfter, line.dieAfter = 700, 2000
		}
		ctx, cancel := context.WithTimeout(testContext(t), 2*time.Second)
		defer cancel()
		if _, err := first.pull(ctx); err == nil {
			t.Fatal("it arrived over dead lines")
		}
		kept, err := filepath.Glob(filepath.Join(dir, pullBlobDir, "*"))
		if err != nil || len(kept) == 0 {
			t.Fatalf("nothing was kept: %v", err)
		}
		for _, path := range kept {
			if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b.checkPulled(t, b.puller(t, dir))
	})
	t.Run("spoilt at the source", func(t *testing.T) {
		p := b.puller(t, t.TempDir())
		spoilt := b.holdAndSpoil(t, "n1")
		b.checkPulled(t, p)
		if at := p.progress(); at.Source == "n1" {
			t.Errorf("the state came from the node with the spoilt %s", spoilt)
		}
	})
}

// holdAndSpoil has a node hold a checkpoint and changes a file of it, one that is no link.
func (b *seedBed) holdAndSpoil(t *testing.T, id string) string {
	t.Helper()
	stream, err := b.lines[id].SeedManifest(testContext(t), &clusterpb.SeedManifestRequest{MinIndex: b.index})
	if err != nil {
		t.Fatal(err)
	}
	for {
		part, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if part.GetDone() {
			break
		}
	}
	list, err := filepath.Glob(filepath.Join(b.children[id].raftDir(), "outgoing", "*", "MANIFEST*"))
	if err != nil || len(list) == 0 {
		t.Fatalf("%s holds nothing: %v", id, err)
	}
	for _, path := range list {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/2] ^= 1
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list[0]
}

// A node that was away for longer than the others keep their logs fetches the state, and
// goes on from the log.
func TestRealNodeBehindTheLogFetchesTheState(t *testing.T) {
	b := newSeedBed(t)
	b.children["n3"].kill(t)
	for _, id := range []string{"n1", "n2"} {
		b.children[id].kill(t)
		b.children[id].RetainBytes = 4 << 10
	}
	for _, id := range []string{"n1", "n2"} {
		b.children[id].start(b.root)
	}
	b.awaitServing(t, "n1")
	for i := 40; i < 120; i++ {
		err := b.execute(t, "n1", &fsmpb.Command{Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
			Id: fmt.Sprintf("reg-%d", i), Name: strings.Repeat("x", 200), Currency: "EUR", Roid: fmt.Sprintf("R%d", i)}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both have cut their logs", func() bool {
		return b.children["n1"].firstIndex(t) > b.index+1 && b.children["n2"].firstIndex(t) > b.index+1
	})
	b.children["n3"].start(b.root)
	b.awaitServing(t, "n3")
	// raft tries a node that was away every ten seconds.
	for deadline := time.Now().Add(3 * testWait); !b.sameHash(t, "n1", "n2", "n3"); {
		if time.Now().After(deadline) {
			t.Fatal("n3 does not come level with the others")
		}
	}
	log, err := os.ReadFile(filepath.Join(b.children["n3"].Dir, "log"))
	if err != nil || !bytes.Contains(log, []byte("the state is fetched and waits")) {
		t.Errorf("n3 did not fetch the state: %v", err)
	}
}

func TestPacer(t *testing.T) {
	p := &pacer{bytesPerSecond: 1_000_000}
	started := time.Now()
	for range 5 {
		if err := p.wait(context.Background(), 50_000); err != nil {
			t.Fatal(err)
		}
	}
	// The first goes at once; the four others 50 ms after the one before.
	if took := time.Since(started); took < 200*time.Millisecond {
		t.Errorf("a quarter of a megabyte took %v at a megabyte a second", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.wait(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
	if err := (&pacer{}).wait(context.Background(), 1<<30); err != nil {
		t.Errorf("without a bound: %v", err)
	}
}

func TestSeedRefusals(t *testing.T) {
	if err := newSeeder(SeedConfig{}).mayGive(); !errors.Is(err, registry.CodeStatusProhibits) {
		t.Errorf("without a holder: %v", err)
	}
	fenced := newSeeder(SeedConfig{Holder: &raftnode.Node{}, Refuse: func() error { return errors.New("it is fenced") }})
	if err := fenced.mayGive(); !errors.Is(err, registry.CodeUnavailable) || !strings.Contains(err.Error(), "fenced") {
		t.Errorf("a fenced node: %v", err)
	}
}
