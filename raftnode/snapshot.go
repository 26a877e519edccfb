package raftnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"cadastre/store"
)

const (
	// repeatedInstalls within repeatedInstallPeriod at the same or a lower index mean that
	// the leader sends checkpoints in a circle (raft#697): a healthy node gets one, after
	// which it follows the log. A restart clears what is in the way.
	repeatedInstalls      = 5
	repeatedInstallPeriod = 10 * time.Minute

	// snapshotVersion is the one with full configurations.
	snapshotVersion = 1
	stateID         = "state"
)

// errSnapshotAhead is returned when raft wants to truncate beyond what the state holds.
var errSnapshotAhead = errors.New("the state is not yet where the snapshot would be")

// snapshotStore makes the state itself raft's one and only snapshot. Its index is read
// from inside the database whenever it is asked for, never from a file name or a copy.
type snapshotStore struct {
	store       *store.Store
	checkpoints *checkpointer
	dir         string // for received checkpoints
	dog         *watchdog
	// openHeld opens the checkpoint that is held for peers behind the log; nil if they are
	// sent a stream of their own.
	openHeld func(ctx context.Context) (*raft.SnapshotMeta, *heldStream, error)
	fetcher  *fetcher

	// installs counts those received since the start.
	installs atomic.Uint64
	stats    *nodeStats

	mu       sync.Mutex
	received map[string]install
	number   uint64
	repeats  repeatDetector
}

// install is a received checkpoint that waits to be put in place. With an empty dir the
// state was already as far.
type install struct {
	dir string
	at  position
	// fetched says that the state may be later than at.
	fetched bool
}

// openSnapshotStore also removes what a crash left of received checkpoints: without a
// finished swap they never counted.
func openSnapshotStore(cfg *Config, checkpoints *checkpointer, dog *watchdog) (*snapshotStore, error) {
	dir := cfg.incomingDir()
	if err := recreateDir(dir); err != nil {
		return nil, err
	}
	return &snapshotStore{store: cfg.Store, checkpoints: checkpoints, dir: dir, dog: dog, received: make(map[string]install), stats: newNodeStats()}, nil
}

func recreateDir(dir string) error {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return fmt.Errorf("clear %s: %w", dir, err)
	}
	return nil
}

// List returns the state as a snapshot, if there is one.
func (s *snapshotStore) List() ([]*raft.SnapshotMeta, error) {
	meta, err := stateMeta(s.store)
	if err != nil || meta.Index == 0 {
		return nil, err
	}
	return []*raft.SnapshotMeta{meta}, nil
}

// stateMeta describes the state in raft's terms, from one view of it.
func stateMeta(st *store.Store) (*raft.SnapshotMeta, error) {
	var meta *raft.SnapshotMeta
	err := st.View(func(tx *store.ReadTx) (err error) {
		meta, err = metaOf(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the state's position: %w", err)
	}
	return meta, nil
}

func metaOf(tx *store.ReadTx) (*raft.SnapshotMeta, error) {
	meta := &raft.SnapshotMeta{Version: snapshotVersion, ID: stateID}
	var data []byte
	meta.Index, meta.Term = tx.Applied()
	meta.ConfigurationIndex, data = tx.RaftConfiguration()
	if meta.ConfigurationIndex == 0 {
		return meta, nil
	}
	return meta, recovered(func() { meta.Configuration = raft.DecodeConfiguration(data) })
}

// Open materialises the state for a peer, or returns the handle of a received checkpoint
// for Restore.
func (s *snapshotStore) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	if id != stateID {
		return s.openReceived(id)
	}
	if s.openHeld != nil {
		meta, held, err := s.openHeld(s.checkpoints.background)
		if err != nil {
			return nil, nil, err
		}
		return meta, held, nil
	}
	cp, err := s.checkpoints.open(s.checkpoints.background)
	if err != nil {
		return nil, nil, err
	}
	meta := *cp.meta
	meta.Size = cp.stream.size
	return &meta, cp, nil
}

func (s *snapshotStore) openReceived(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	s.mu.Lock()
	in, ok := s.received[id]
	s.mu.Unlock()
	if !ok {
		return nil, nil, fmt.Errorf("there is no received checkpoint %q", id)
	}
	meta := &raft.SnapshotMeta{Version: snapshotVersion, ID: id, Index: in.at.index, Term: in.at.term, Size: int64(len(id))}
	return meta, io.NopCloser(strings.NewReader(id)), nil
}

func (s *snapshotStore) take(id string) (install, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.received[id]
	delete(s.received, id)
	return in, ok
}

// Create begins a snapshot. raft uses the same call before it truncates its own log and
// before it receives a checkpoint; the first use of the sink decides which it is.
func (s *snapshotStore) Create(_ raft.SnapshotVersion, index, term uint64, _ raft.Configuration, _ uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	return &snapshotSink{owner: s, at: position{index, term}, id: "install-" + strconv.FormatUint(s.number, 10)}, nil
}

// noteInstall counts an install and ends the node if they go in a circle.
func (s *snapshotStore) noteInstall(index uint64) error {
	s.installs.Add(1)
	s.mu.Lock()
	circular := s.repeats.note(index, time.Now())
	s.mu.Unlock()
	if !circular {
		return nil
	}
	err := fmt.Errorf("the leader sent %d checkpoints within %s without getting past index %d: this node's log blocks replication; start it again, and if that does not help rebuild it from its peers with `cadastre node rebuild`",
		repeatedInstalls, repeatedInstallPeriod, index)
	s.dog.fail(err)
	return err
}

// Installs returns how many checkpoints leaders had this node put in place since it started.
// A healthy node gets one at most each time it has fallen behind the log.
func (n *Node) Installs() uint64 { return n.snapshots.installs.Load() }

// repeatDetector remembers recent installs that did not get further than one before.
type repeatDetector struct {
	highest uint64
	at      []time.Time
}

func (d *repeatDetector) note(index uint64, now time.Time) bool {
	if index > d.highest {
		d.highest, d.at = index, nil
	}
	d.at = append(d.at, now)
	for len(d.at) > 0 && now.Sub(d.at[0]) > repeatedInstallPeriod {
		d.at = d.at[1:]
	}
	return len(d.at) >= repeatedInstalls
}

// virtualSnapshot is raft's handle for making its own snapshot.
type virtualSnapshot struct{ adapter *stateAdapter }

// Persist makes the state durable. raft truncates its log up to the sink's index after it,
// so the state must hold that index, on disk. Entries that raft makes for itself never
// reach the state, but the index it passes is that of the last entry that did; should it
// ever be higher, nothing is truncated and raft asks again later.
func (v virtualSnapshot) Persist(sink raft.SnapshotSink) error {
	s, ok := sink.(*snapshotSink)
	if !ok {
		return fmt.Errorf("snapshot sink of a foreign store: %T", sink)
	}
	at, err := readPosition(v.adapter.store)
	if err != nil {
		return err
	}
	if at.index < s.at.index {
		return errSnapshotAhead
	}
	if err := v.adapter.dog.guard("make the state durable", stateWriteBound, v.adapter.store.Flush); err != nil {
		return err
	}
	v.adapter.stats.snapshots.Add(1)
	return nil
}

// Release has nothing to release.
func (virtualSnapshot) Release() {}

// snapshotSink is unused by Persist. What raft writes to it is a checkpoint stream from the
// leader, unpacked while it arrives.
type snapshotSink struct {
	owner *snapshotStore
	at    position
	id    string

	pipe *io.PipeWriter // nil until the first Write
	done chan error
	skip bool
	// received is set by the goroutine that ends with done.
	received install
}

// ID returns the name under which Open finds what was received.
func (k *snapshotSink) ID() string {
	if k.pipe == nil && !k.skip {
		return stateID
	}
	return k.id
}

// Write takes a piece of the leader's stream.
func (k *snapshotSink) Write(p []byte) (int, error) {
	if k.pipe == nil && !k.skip {
		if err := k.begin(); err != nil {
			return 0, err
		}
	}
	if k.skip {
		return len(p), nil
	}
	return k.pipe.Write(p)
}

func (k *snapshotSink) begin() error {
	have, err := readPosition(k.owner.store)
	if err != nil {
		return err
	}
	// A state that is as far holds everything committed up to there; going back would let
	// readers see the past. raft is content to hear that the install is done.
	if k.at.index <= have.index {
		k.skip = true
		return nil
	}
	reader, writer := io.Pipe()
	k.pipe, k.done = writer, make(chan error, 1)
	go func() { // joined by Close or Cancel, one of which raft always calls
		err := k.receive(reader)
		_ = reader.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // never fails
		k.done <- err
		close(k.done) // a Cancel after a failed Close must not wait
	}()
	return nil
}

// receive takes a reference or a stream.
func (k *snapshotSink) receive(r io.Reader) error {
	magic, r, err := peekMagic(r)
	if err != nil {
		return err
	}
	if magic == referenceMagic {
		return k.receiveReference(r)
	}
	m, err := unpackCheckpoint(r, k.dir())
	if err == nil && (m.Index != k.at.index || m.Term != k.at.term) {
		err = fmt.Errorf("%w: announced for index %d of term %d, labelled index %d of term %d",
			ErrBadCheckpoint, k.at.index, k.at.term, m.Index, m.Term)
	}
	k.received = install{dir: k.dir(), at: k.at}
	return err
}

func (k *snapshotSink) receiveReference(r io.Reader) error {
	if _, err := io.CopyN(io.Discard, r, int64(len(referenceMagic))); err != nil {
		return err
	}
	ref, err := readReference(r)
	if err != nil {
		return err
	}
	if ref.Index != k.at.index || ref.Term != k.at.term {
		return fmt.Errorf("%w: announced for index %d of term %d, refers to index %d of term %d",
			ErrBadCheckpoint, k.at.index, k.at.term, ref.Index, ref.Term)
	}
	if _, err := k.owner.fetcher.offer(ref); err != nil {
		return err
	}
	k.received = install{dir: k.owner.fetcher.stateDir(), at: k.at, fetched: true}
	return nil
}

func (k *snapshotSink) dir() string { return filepath.Join(k.owner.dir, k.id) }

// Close finishes what was received and makes it available to Restore.
func (k *snapshotSink) Close() error {
	if k.pipe == nil && !k.skip {
		return nil // raft's own snapshot; Persist did the work
	}
	in := install{at: k.at}
	if !k.skip {
		_ = k.pipe.Close() // never fails
		if err := <-k.done; err != nil {
			return errors.Join(err, os.RemoveAll(k.dir()))
		}
		in = k.received
	}
	if err := k.owner.noteInstall(k.at.index); err != nil {
		return err
	}
	k.owner.mu.Lock()
	defer k.owner.mu.Unlock()
	k.owner.received[k.id] = in
	return nil
}

// Cancel throws away what was received.
func (k *snapshotSink) Cancel() error {
	if k.pipe == nil {
		return nil
	}
	_ = k.pipe.CloseWithError(errors.New("the transfer was cancelled")) // never fails
	// done is closed when the goroutine has ended.
	for range k.done {
	}
	return os.RemoveAll(k.dir())
}
