package raftnode

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// maxHeldCheckpoints bounds how many are held for peers: each keeps files that compaction
	// has replaced.
	maxHeldCheckpoints = 2
	// heldIdle is how long one is held that nobody reads: a puller that lost its connection,
	// or was started again, comes back before.
	heldIdle = 2 * time.Minute
	// heldAge is how long one is held at most, whoever reads it.
	heldAge = 6 * time.Hour
	// evictIdle is how long one must be idle to make room for another.
	evictIdle = 10 * time.Second
	// fetchHoldFor is for how long a fetch keeps the log that comes after its checkpoint; it
	// is renewed while the checkpoint is being read.
	fetchHoldFor = time.Minute
)

// HeldCheckpoint describes a checkpoint that this node holds for peers to fetch.
type HeldCheckpoint struct {
	// ID names the content: equal ids, equal files.
	ID          string
	Index, Term uint64
	// StateHash is the hash of the state at Index.
	StateHash []byte
	Files     []CheckpointFile
}

// Bytes returns the size of all files.
func (h *HeldCheckpoint) Bytes() (total int64) {
	for _, f := range h.Files {
		total += f.Bytes
	}
	return total
}

// Validate checks everything about a description that a hostile sender could abuse. Errors
// match ErrBadCheckpoint.
func (h *HeldCheckpoint) Validate() error {
	m := manifest{Index: h.Index, Term: h.Term}
	for _, f := range h.Files {
		m.Files = append(m.Files, manifestFile(f))
	}
	return m.validate()
}

// holder keeps checkpoints for a bounded time and number.
type holder struct {
	checkpoints *checkpointer
	now         func() time.Time
	// making lets one checkpoint be made at a time; whoever waits gets the same.
	making chan struct{}

	mu   sync.Mutex
	held map[string]*heldCheckpoint
}

type heldCheckpoint struct {
	info           HeldCheckpoint
	checkpoint     *checkpoint
	madeAt, usedAt time.Time
	readers        int
}

func newHolder(checkpoints *checkpointer) *holder {
	return &holder{checkpoints: checkpoints, now: time.Now, making: make(chan struct{}, 1), held: map[string]*heldCheckpoint{}}
}

// errTooManyHeld is returned while all held checkpoints are in use.
var errTooManyHeld = errors.New("this node holds as many checkpoints for others as it may")

// hold returns a held checkpoint at minIndex or later, an existing one if there is any.
func (h *holder) hold(ctx context.Context, minIndex uint64) (*heldCheckpoint, error) {
	select {
	case h.making <- struct{}{}:
		defer func() { <-h.making }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if have := h.newest(minIndex); have != nil {
		return have, nil
	}
	if err := h.makeRoom(); err != nil {
		return nil, err
	}
	cp, err := h.checkpoints.open(ctx)
	if err != nil {
		return nil, err
	}
	if cp.meta.Index < minIndex {
		err := fmt.Errorf("the state of this node ends at index %d, before %d", cp.meta.Index, minIndex)
		return nil, errors.Join(err, cp.Close())
	}
	made, err := describe(cp, h.now())
	if err != nil {
		return nil, errors.Join(err, cp.Close())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[made.info.ID] = made
	return made, nil
}

func describe(cp *checkpoint, now time.Time) (*heldCheckpoint, error) {
	body, err := json.Marshal(cp.manifest)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	sum := sha256.Sum256(body)
	h := &heldCheckpoint{checkpoint: cp, madeAt: now, usedAt: now, info: HeldCheckpoint{
		ID: hex.EncodeToString(sum[:]), Index: cp.meta.Index, Term: cp.meta.Term, StateHash: cp.hash,
	}}
	for _, f := range cp.manifest.Files {
		h.info.Files = append(h.info.Files, CheckpointFile(f))
	}
	return h, nil
}

// newest returns the newest held checkpoint that is new enough, nil if there is none.
func (h *holder) newest(minIndex uint64) (best *heldCheckpoint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.held {
		if c.info.Index >= minIndex && (best == nil || c.info.Index > best.info.Index) {
			best = c
		}
	}
	if best != nil {
		best.usedAt = h.now()
	}
	return best
}

// makeRoom releases the one that has been idle for longest, if it must.
func (h *holder) makeRoom() error {
	h.mu.Lock()
	var oldest *heldCheckpoint
	for _, c := range h.held {
		if c.readers == 0 && (oldest == nil || c.usedAt.Before(oldest.usedAt)) {
			oldest = c
		}
	}
	full := len(h.held) >= maxHeldCheckpoints
	idle := oldest != nil && h.now().Sub(oldest.usedAt) >= evictIdle
	h.mu.Unlock()
	switch {
	case !full:
		return nil
	case !idle:
		return errTooManyHeld
	}
	return h.release(oldest.info.ID)
}

// release removes a held checkpoint; one that is not held is none.
func (h *holder) release(id string) error {
	h.mu.Lock()
	c := h.held[id]
	delete(h.held, id)
	h.mu.Unlock()
	if c == nil {
		return nil
	}
	return c.checkpoint.Close()
}

// expire releases what was held for long enough, all if the node stops.
func (h *holder) expire(all bool) error {
	h.mu.Lock()
	var old []string
	for id, c := range h.held {
		now := h.now()
		idle := c.readers == 0 && now.Sub(c.usedAt) > heldIdle
		if all || idle || now.Sub(c.madeAt) > heldAge {
			old = append(old, id)
		}
	}
	h.mu.Unlock()
	var errs []error
	for _, id := range old {
		errs = append(errs, h.release(id))
	}
	return errors.Join(errs...)
}

// read opens a file of a held checkpoint at the offset.
func (h *holder) read(id, name string, offset int64) (io.ReadCloser, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.held[id]
	if c == nil {
		return nil, ErrNotHeld
	}
	for _, f := range c.info.Files {
		if f.Name != name {
			continue
		}
		if offset < 0 || offset > f.Bytes {
			return nil, fmt.Errorf("offset %d is not in file %q of %d octets", offset, name, f.Bytes)
		}
		file, err := os.Open(filepath.Join(c.checkpoint.dir, name))
		if err != nil {
			return nil, fmt.Errorf("read the held checkpoint: %w", err)
		}
		c.readers++
		c.usedAt = h.now()
		return &heldFile{Reader: io.NewSectionReader(file, offset, f.Bytes-offset), file: file, owner: h, of: c}, nil
	}
	return nil, fmt.Errorf("the checkpoint has no file %q", name)
}

// heldFile counts as use of its checkpoint while it is open.
type heldFile struct {
	io.Reader
	file  *os.File
	owner *holder
	of    *heldCheckpoint
	once  sync.Once
}

// Close ends the use.
func (f *heldFile) Close() error {
	f.once.Do(func() {
		f.owner.mu.Lock()
		defer f.owner.mu.Unlock()
		f.of.readers--
		f.of.usedAt = f.owner.now()
	})
	return f.file.Close()
}

// ErrNotHeld is returned for a checkpoint that is not held, or no longer.
var ErrNotHeld = errors.New("the checkpoint is not held here")

// HoldCheckpoint makes this node hold a checkpoint of its state, at minIndex or later, for
// peers to fetch with ReadHeld. It is released when nobody has read it for a while.
func (n *Node) HoldCheckpoint(ctx context.Context, minIndex uint64) (HeldCheckpoint, error) {
	if _, err := n.running(); err != nil {
		return HeldCheckpoint{}, err
	}
	waiting, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := n.WaitApplied(waiting, minIndex); err != nil { // it may be a moment behind
		return HeldCheckpoint{}, err
	}
	c, err := n.holder.hold(ctx, max(minIndex, n.catchUpFrom()))
	if err != nil {
		return HeldCheckpoint{}, unavailable("no checkpoint can be held", err)
	}
	return c.info, nil
}

// catchUpFrom returns the first index from which this node's own log goes on.
func (n *Node) catchUpFrom() uint64 {
	first, err := n.log.FirstIndex()
	if err != nil || first == 0 {
		return 0
	}
	return first - 1
}

// ReadHeld opens a file of a held checkpoint at the offset. ErrNotHeld is returned if it is
// not held any more.
func (n *Node) ReadHeld(id, file string, offset int64) (io.ReadCloser, error) {
	return n.holder.read(id, file, offset)
}

// ReleaseHeld releases a held checkpoint before its time, unless others still read it.
func (n *Node) ReleaseHeld(id string) error {
	n.holder.mu.Lock()
	c := n.holder.held[id]
	inUse := c != nil && c.readers > 0
	n.holder.mu.Unlock()
	if inUse {
		return nil
	}
	return n.holder.release(id)
}

// HeldCheckpoints returns how many checkpoints are held.
func (n *Node) HeldCheckpoints() int {
	n.holder.mu.Lock()
	defer n.holder.mu.Unlock()
	return len(n.holder.held)
}
