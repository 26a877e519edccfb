package raftnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/hashicorp/raft"

	"cadastre/store"
)

// maxCheckpoints bounds how many checkpoints are out at a time: each holds on to files that
// compaction would remove, and its reader takes bandwidth from replication.
const maxCheckpoints = 4

// checkpointer materialises the state for peers and backups.
type checkpointer struct {
	store *store.Store
	dir   string
	// background ends when the node stops; raft gives no context of its own.
	background context.Context

	mu     sync.Mutex
	number uint64
	out    int
}

// checkpoint is one materialised state, read as a stream. Close removes it.
type checkpoint struct {
	meta     *raft.SnapshotMeta
	hash     []byte // of the state
	manifest manifest
	stream   *streamReader
	dir      string
	owner    *checkpointer
	once     sync.Once
}

// open takes a checkpoint. Entries are applied meanwhile: what it holds is read from the
// checkpoint itself.
func (c *checkpointer) open(ctx context.Context) (*checkpoint, error) {
	cp, err := c.reserve()
	if err != nil {
		return nil, err
	}
	if err := c.fill(ctx, cp); err != nil {
		return nil, errors.Join(err, cp.Close())
	}
	return cp, nil
}

func (c *checkpointer) reserve() (*checkpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out >= maxCheckpoints {
		return nil, fmt.Errorf("%d checkpoints are being read already", c.out)
	}
	c.out++
	c.number++
	return &checkpoint{owner: c, dir: filepath.Join(c.dir, "checkpoint-"+strconv.FormatUint(c.number, 10))}, nil
}

func (c *checkpointer) fill(ctx context.Context, cp *checkpoint) (err error) {
	if err := c.store.Checkpoint(cp.dir); err != nil {
		return err
	}
	err = store.InspectCheckpoint(cp.dir, func(tx *store.ReadTx) error {
		cp.hash = tx.StateHash()
		cp.meta, err = metaOf(tx)
		return err
	})
	if err != nil {
		return err
	}
	if cp.meta.Index == 0 {
		return errors.New("there is no state to take a checkpoint of")
	}
	cp.manifest, err = buildManifest(ctx, cp.dir, position{cp.meta.Index, cp.meta.Term})
	if err != nil {
		return err
	}
	cp.stream, err = newStreamReader(cp.dir, cp.manifest)
	return err
}

// Read reads the stream.
func (c *checkpoint) Read(p []byte) (int, error) { return c.stream.Read(p) }

// Close removes the checkpoint.
func (c *checkpoint) Close() (err error) {
	c.once.Do(func() {
		if c.stream != nil {
			c.stream.close()
		}
		err = os.RemoveAll(c.dir)
		c.owner.mu.Lock()
		defer c.owner.mu.Unlock()
		c.owner.out--
	})
	return err
}

// writeTo copies a checkpoint to w and returns its index.
func (c *checkpointer) writeTo(ctx context.Context, w io.Writer) (index uint64, err error) {
	cp, err := c.open(ctx)
	if err != nil {
		return 0, fmt.Errorf("take a checkpoint: %w", err)
	}
	defer func() { err = errors.Join(err, cp.Close()) }()
	buf := make([]byte, copyBufferBytes)
	if _, err := io.CopyBuffer(writerOnly{w}, &contextReader{ctx: ctx, from: cp}, buf); err != nil {
		return 0, fmt.Errorf("send the checkpoint: %w", err)
	}
	return cp.meta.Index, nil
}

// writerOnly hides ReadFrom, which would take pieces of its own size past the context.
type writerOnly struct{ io.Writer }

// contextReader stops reading when its context is done.
type contextReader struct {
	ctx  context.Context
	from io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
