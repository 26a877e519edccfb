package raftnode

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"cadastre/store"
)

// A leader that finds a peer behind its log does not send the state but a reference to a
// checkpoint that it holds. The peer fetches the files of that checkpoint, or of a newer one
// of a nearer node, beside raft, answering the leader's attempts with errFetching until it
// has them. The leader's next attempt then puts them in place, and the log goes on from
// there. A peer that cannot fetch asks for the state itself, as a stream.
//
// What takes the place of the stream:
//
//	8 octets   magic
//	4 octets   length of the body, big endian
//	body       JSON, a Reference

const (
	referenceMagic     = "CADREF01"
	maxReferenceOctets = 4096
	// maxFetchFailures is after how many failed fetches in a row the stream is asked for. A
	// fetch that fails has tried every node for minutes.
	maxFetchFailures = 2
	// fetchedStateName is the name under which a fetch leaves a complete state.
	fetchedStateName = "state"
)

var (
	errFetching    = errors.New("the checkpoint is being fetched")
	errWantsStream = errors.New("the checkpoint cannot be fetched: send it as a stream")
)

// Reference names a checkpoint that a leader holds.
type Reference struct {
	// NodeID is the node that holds it, ID its content.
	NodeID string `json:"node"`
	ID     string `json:"id"`
	Index  uint64 `json:"index"`
	Term   uint64 `json:"term"`
}

// FetchFunc fetches the checkpoint of the reference or a later state from any node, and
// leaves it as the folder "state" in dir, durable and checked against its state hash, by a
// rename as its last step. What it leaves elsewhere in dir after an error is there for the
// next attempt, also after the process was killed.
type FetchFunc func(ctx context.Context, ref Reference, dir string) error

// heldStream is a held checkpoint as raft reads it from Open: a stream, if it comes to that.
type heldStream struct {
	*streamReader
	reference Reference
	holder    *holder
	of        *heldCheckpoint
	once      sync.Once
}

// Close ends the use of the checkpoint, which stays held.
func (s *heldStream) Close() error {
	s.once.Do(func() {
		s.close()
		s.holder.mu.Lock()
		defer s.holder.mu.Unlock()
		s.of.readers--
		s.of.usedAt = s.holder.now()
	})
	return nil
}

// openHeld opens the checkpoint that is held for peers behind the log.
func (h *holder) openHeld(ctx context.Context, nodeID string, minIndex uint64) (*raft.SnapshotMeta, *heldStream, error) {
	c, err := h.hold(ctx, minIndex)
	if err != nil {
		return nil, nil, err
	}
	stream, err := newStreamReader(c.checkpoint.dir, c.checkpoint.manifest)
	if err != nil {
		return nil, nil, err
	}
	h.mu.Lock()
	c.readers++
	h.mu.Unlock()
	meta := *c.checkpoint.meta
	meta.Size = stream.size
	return &meta, &heldStream{streamReader: stream, holder: h, of: c, reference: Reference{
		NodeID: nodeID, ID: c.info.ID, Index: c.info.Index, Term: c.info.Term,
	}}, nil
}

func (r Reference) encode() ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode reference: %w", err)
	}
	head := binary.BigEndian.AppendUint32([]byte(referenceMagic), uint32(len(body)))
	return append(head, body...), nil
}

// readReference reads what follows the magic.
func readReference(r io.Reader) (ref Reference, err error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return ref, fmt.Errorf("%w: reference cut short: %w", ErrBadCheckpoint, err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxReferenceOctets {
		return ref, fmt.Errorf("%w: reference of %d octets, allowed are %d", ErrBadCheckpoint, n, maxReferenceOctets)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return ref, fmt.Errorf("%w: reference cut short: %w", ErrBadCheckpoint, err)
	}
	if err := json.Unmarshal(body, &ref); err != nil {
		return ref, fmt.Errorf("%w: reference: %w", ErrBadCheckpoint, err)
	}
	if ref.Index == 0 || ref.Term == 0 || checkNodeID(ref.NodeID) != nil {
		return ref, fmt.Errorf("%w: reference without a place", ErrBadCheckpoint)
	}
	return ref, nil
}

// streamWishes remembers which peers asked for a stream.
type streamWishes struct {
	mu    sync.Mutex
	peers map[raft.ServerID]bool
}

// note takes the outcome of an attempt with a reference, or with a stream.
func (w *streamWishes) note(id raft.ServerID, err error, streamed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case streamed:
		delete(w.peers, id)
	case err != nil && (strings.Contains(err.Error(), errWantsStream.Error()) || strings.Contains(err.Error(), ErrBadCheckpoint.Error())):
		if w.peers == nil || len(w.peers) >= maxPeerContacts {
			w.peers = map[raft.ServerID]bool{}
		}
		w.peers[id] = true // a program of before references says that the stream is bad
	}
}

func (w *streamWishes) get(id raft.ServerID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.peers[id]
}

// fetcher fetches what leaders refer to, one thing at a time.
type fetcher struct {
	fetch  FetchFunc // nil if this node cannot
	dir    string
	logger *slog.Logger
	ctx    context.Context // ends when the node stops

	// workers is the fetch under way.
	workers sync.WaitGroup

	mu       sync.Mutex
	running  bool
	ready    *position
	failures int
}

// openFetcher finds what a fetch had finished before the node was stopped.
func openFetcher(ctx context.Context, fetch FetchFunc, dir string, logger *slog.Logger) *fetcher {
	f := &fetcher{fetch: fetch, dir: dir, logger: logger, ctx: ctx}
	if at, err := checkpointPosition(f.stateDir()); err == nil {
		f.ready = &at
	}
	return f
}

func (f *fetcher) stateDir() string { return filepath.Join(f.dir, fetchedStateName) }

func checkpointPosition(dir string) (at position, err error) {
	if _, err := os.Stat(dir); err != nil {
		return at, err
	}
	err = store.InspectCheckpoint(dir, func(tx *store.ReadTx) error {
		at.index, at.term = tx.Applied()
		return nil
	})
	return at, err
}

// offer takes a leader's reference: it returns where the state is if it was fetched, or
// errFetching, or errWantsStream.
func (f *fetcher) offer(ref Reference) (at position, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.fetch == nil:
		return at, errWantsStream
	case f.running:
		return at, errFetching
	case f.ready != nil && f.ready.index >= ref.Index:
		at, f.ready, f.failures = *f.ready, nil, 0
		return at, nil
	case f.failures >= maxFetchFailures:
		f.failures = 0
		return at, errWantsStream
	}
	f.ready = nil
	if err := os.RemoveAll(f.stateDir()); err != nil {
		return at, fmt.Errorf("remove a fetched state that is too old: %w", err)
	}
	f.running = true
	f.workers.Go(func() { f.run(ref) })
	return at, errFetching
}

func (f *fetcher) run(ref Reference) {
	err := os.MkdirAll(f.dir, 0o700)
	if err == nil {
		err = f.fetch(f.ctx, ref, f.dir)
	}
	var at position
	if err == nil {
		at, err = checkpointPosition(f.stateDir())
	}
	if err == nil && (at.index < ref.Index || at.term < ref.Term) {
		err = fmt.Errorf("the fetched state is at index %d of term %d, before index %d of term %d", at.index, at.term, ref.Index, ref.Term)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = false
	if err != nil {
		f.failures++
		if f.ctx.Err() == nil {
			f.logger.Warn("the state could not be fetched", "from", ref.NodeID, "index", ref.Index, "error", err)
		}
		return
	}
	f.ready = &at
	f.logger.Info("the state is fetched and waits for the leader", "applied_index", at.index)
}

// done removes what a fetch has left once its state is in place.
func (f *fetcher) done() {
	if err := os.RemoveAll(f.dir); err != nil {
		f.logger.Warn("what a fetch has left could not be removed", "error", err)
	}
}

// peekMagic returns the first octets and a reader that still has them.
func peekMagic(r io.Reader) (string, io.Reader, error) {
	magic := make([]byte, len(streamMagic))
	n, err := io.ReadFull(r, magic)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // whoever reads on finds that it is short
	}
	return string(magic[:n]), io.MultiReader(bytes.NewReader(magic[:n]), r), err
}
