package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
)

const (
	// checkpointChunkBytes is a compromise of overhead and memory; far below maxMessageBytes.
	checkpointChunkBytes = 256 << 10
	// maxCheckpoints bounds how many are sent at once: each reads the whole state.
	maxCheckpoints = 2
)

// chunkSender is the sending side of a stream of chunks.
type chunkSender interface {
	Send(*clusterpb.CheckpointChunk) error
}

// sendCheckpoint writes a checkpoint to the stream, and at its end what was sent.
func (s *Server) sendCheckpoint(ctx context.Context, stream chunkSender) error {
	select {
	case s.checkpoints <- struct{}{}:
		defer func() { <-s.checkpoints }()
	default:
		return refuse(registry.CodeUnavailable, "", "", "this node is sending other checkpoints; try again or ask another node")
	}
	w := &chunkWriter{stream: stream, sum: sha256.New(), buffer: make([]byte, 0, checkpointChunkBytes)}
	index, err := s.raft.WriteCheckpoint(ctx, w)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	if err := w.flush(); err != nil {
		return err
	}
	return stream.Send(&clusterpb.CheckpointChunk{
		Done: true, Index: index, TotalBytes: w.total, Sha256: w.sum.Sum(nil),
	})
}

// chunkWriter cuts what is written into chunks.
type chunkWriter struct {
	stream chunkSender
	sum    hash.Hash
	total  uint64
	buffer []byte
}

func (w *chunkWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), checkpointChunkBytes-len(w.buffer))
		w.buffer = append(w.buffer, p[:n]...)
		p, written = p[n:], written+n
		if len(w.buffer) == checkpointChunkBytes {
			if err := w.flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

func (w *chunkWriter) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	_, _ = w.sum.Write(w.buffer) // a hash never fails
	w.total += uint64(len(w.buffer))
	// gRPC may hold on to the message after Send: it gets its own copy.
	err := w.stream.Send(&clusterpb.CheckpointChunk{Data: bytes.Clone(w.buffer)})
	w.buffer = w.buffer[:0]
	return err
}

// ChunkReader turns a stream of chunks back into what was written. Its end of file means
// that everything arrived and the checksum is right.
type ChunkReader struct {
	receive func() (*clusterpb.CheckpointChunk, error)
	sum     hash.Hash
	total   uint64
	rest    []byte
	done    bool
	// Index is the applied index inside, known at the end of file.
	Index uint64
}

// NewChunkReader reads from a stream's Recv.
func NewChunkReader(receive func() (*clusterpb.CheckpointChunk, error)) *ChunkReader {
	return &ChunkReader{receive: receive, sum: sha256.New()}
}

// TotalBytes returns how much has arrived.
func (r *ChunkReader) TotalBytes() uint64 { return r.total }

// Read implements io.Reader.
func (r *ChunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.done {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *ChunkReader) next() error {
	chunk, err := r.receive()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("receive checkpoint: it ends after %d octets without its checksum: %w", r.total, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return fmt.Errorf("receive checkpoint: %w", ErrorFromStatus(err))
	}
	if !chunk.Done {
		_, _ = r.sum.Write(chunk.Data) // a hash never fails
		r.total += uint64(len(chunk.Data))
		r.rest = chunk.Data
		return nil
	}
	if chunk.TotalBytes != r.total || !bytes.Equal(chunk.Sha256, r.sum.Sum(nil)) {
		return fmt.Errorf("receive checkpoint: %d octets arrived of %d, or their SHA-256 is wrong", r.total, chunk.TotalBytes)
	}
	r.done, r.Index = true, chunk.Index
	return nil
}
