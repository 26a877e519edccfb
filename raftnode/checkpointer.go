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
	// still keeps the state from moving while its position is read and the checkpoint is
	// linked, so that the label is exact.
	still sync.Locker
	// background ends when the node stops; raft gives no context of its own.
	background context.Context

	mu     sync.Mutex
	number uint64
	out    int
}

// checkpoint is one materialised state, read as a stream. Close removes it.
type checkpoint struct {
	meta   *raft.SnapshotMeta
	stream *streamReader
	dir    string
	owner  *checkpointer
	once   sync.Once
}

// open takes a checkpoint. It stops applying only while files are linked; hashing them
// happens beside it.
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
	cp.meta, err = c.link(cp.dir)
	if err != nil {
		return err
	}
	m, err := buildManifest(ctx, cp.dir, position{cp.meta.Index, cp.meta.Term})
	if err != nil {
		return err
	}
	cp.stream, err = newStreamReader(cp.dir, m)
	return err
}

func (c *checkpointer) link(dir string) (*raft.SnapshotMeta, error) {
	c.still.Lock()
	defer c.still.Unlock()
	meta, err := stateMeta(c.store)
	if err != nil {
		return nil, err
	}
	if meta.Index == 0 {
		return nil, errors.New("there is no state to take a checkpoint of")
	}
	return meta, c.store.Checkpoint(dir)
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
