package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// seedChunkBytes is what one message carries, before compression.
	seedChunkBytes = 256 << 10
	// seedFilesPerPart keeps the pieces of a description far below maxMessageBytes.
	seedFilesPerPart = 1000
	// maxSeedReads bounds the files being sent at once, to all nodes together: each takes a
	// buffer and bandwidth from replication.
	maxSeedReads = 16
	// worthCompressing is the part of a chunk that compression must save, as a divisor.
	worthCompressing = 10
	// seedLogHold is for how long the log is kept for a node that fetches; the node renews it.
	seedLogHold = 2 * time.Minute
)

// SeedHolder is the part of the local Raft node that holds checkpoints for others:
// *raftnode.Node.
type SeedHolder interface {
	HoldCheckpoint(ctx context.Context, minIndex uint64) (raftnode.HeldCheckpoint, error)
	ReadHeld(id, file string, offset int64) (io.ReadCloser, error)
	ReleaseHeld(id string) error
	HoldLog(name string, index uint64, duration time.Duration) (first uint64, err error)
}

// SeedConfig says how a node gives its state to others.
type SeedConfig struct {
	Holder SeedHolder
	// Refuse returns why this node's state must not be given to others, nil if it may.
	Refuse func() error
	// BytesPerSecond bounds what is sent to all nodes together; 0: no bound.
	BytesPerSecond int64
}

// seeder is what a Server needs to give its state to others.
type seeder struct {
	cfg     SeedConfig
	pace    *pacer
	places  chan struct{}
	encoder *zstd.Encoder
	sent    atomic.Int64
}

func newSeeder(cfg SeedConfig) *seeder {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		encoder = nil // only for options out of range; chunks go as they are
	}
	return &seeder{cfg: cfg, pace: &pacer{bytesPerSecond: cfg.BytesPerSecond}, places: make(chan struct{}, maxSeedReads), encoder: encoder}
}

// SeedSentBytes returns how many octets of checkpoints were sent so far.
func (s *Server) SeedSentBytes() int64 { return s.seeds.sent.Load() }

// mayGive says whether this node's state may be given to others.
func (d *seeder) mayGive() error {
	if d.cfg.Holder == nil {
		return refuse(registry.CodeStatusProhibits, "", "", "this node holds no checkpoints")
	}
	if d.cfg.Refuse == nil {
		return nil
	}
	if err := d.cfg.Refuse(); err != nil {
		return &registry.Error{Code: registry.CodeUnavailable, Reason: "this node gives its state to nobody: " + err.Error(), Err: err}
	}
	return nil
}

// SeedSources lists the members with their addresses.
func (s *peerService) SeedSources(context.Context, *clusterpb.SeedSourcesRequest) (*clusterpb.SeedSourcesResponse, error) {
	out := &clusterpb.SeedSourcesResponse{}
	err := s.store.View(func(tx *store.ReadTx) error {
		for _, n := range tx.Nodes() {
			out.Sources = append(out.Sources, &clusterpb.SeedSource{NodeId: n.ID, GrpcAddress: n.GRPCAddress})
		}
		return nil
	})
	return out, err
}

// SeedManifest holds a checkpoint and describes it.
func (s *peerService) SeedManifest(req *clusterpb.SeedManifestRequest, stream grpc.ServerStreamingServer[clusterpb.SeedManifestPart]) error {
	if err := s.seeds.mayGive(); err != nil {
		return err
	}
	held, err := s.seeds.cfg.Holder.HoldCheckpoint(stream.Context(), req.GetMinIndex())
	if err != nil {
		return err
	}
	s.log.Info("a checkpoint is held for a node", "node", caller(stream.Context()).Name, "applied_index", held.Index, "bytes", held.Bytes())
	part := &clusterpb.SeedManifestPart{}
	for _, f := range held.Files {
		part.Files = append(part.Files, &clusterpb.SeedFile{Name: f.Name, Bytes: f.Bytes, Sha256: f.SHA256})
		if len(part.GetFiles()) == seedFilesPerPart {
			if err := stream.Send(part); err != nil {
				return err
			}
			part = &clusterpb.SeedManifestPart{}
		}
	}
	part.Done, part.CheckpointId, part.Index, part.Term, part.StateHash = true, held.ID, held.Index, held.Term, held.StateHash
	return stream.Send(part)
}

// SeedRead sends a file of a held checkpoint.
func (s *peerService) SeedRead(req *clusterpb.SeedReadRequest, stream grpc.ServerStreamingServer[clusterpb.SeedChunk]) error {
	if err := s.seeds.mayGive(); err != nil {
		return err
	}
	select {
	case s.seeds.places <- struct{}{}:
		defer func() { <-s.seeds.places }()
	default:
		return refuse(registry.CodeUnavailable, "", "", "this node is sending as many files as it may; try again")
	}
	file, err := s.seeds.cfg.Holder.ReadHeld(req.GetCheckpointId(), req.GetFile(), req.GetOffset())
	if errors.Is(err, raftnode.ErrNotHeld) {
		return refuse(registry.CodeObjectDoesNotExist, "checkpoint_id", req.GetCheckpointId(), "the checkpoint is not held here any more")
	}
	if err != nil {
		return fmt.Errorf("read file %q of a held checkpoint: %w", req.GetFile(), err)
	}
	defer func() { _ = file.Close() }() // only read
	return s.seeds.send(stream, file, req.GetZstd())
}

func (d *seeder) send(stream grpc.ServerStreamingServer[clusterpb.SeedChunk], file io.Reader, compress bool) error {
	buf := make([]byte, seedChunkBytes)
	for {
		n, err := io.ReadFull(file, buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read a held checkpoint: %w", err)
		}
		chunk := d.chunk(buf[:n], compress)
		if err := d.pace.wait(stream.Context(), len(chunk.GetData())); err != nil {
			return err
		}
		if err := stream.Send(chunk); err != nil {
			return err
		}
		d.sent.Add(int64(len(chunk.GetData())))
	}
}

// chunk makes a message of its own memory: gRPC may hold on to it after Send.
func (d *seeder) chunk(data []byte, compress bool) *clusterpb.SeedChunk {
	if compress && d.encoder != nil {
		small := d.encoder.EncodeAll(data, make([]byte, 0, len(data)))
		if len(small) < len(data)-len(data)/worthCompressing {
			return &clusterpb.SeedChunk{Data: small, RawBytes: uint32(len(data))}
		}
	}
	return &clusterpb.SeedChunk{Data: append([]byte(nil), data...)}
}

// SeedRelease releases a held checkpoint.
func (s *peerService) SeedRelease(_ context.Context, req *clusterpb.SeedReleaseRequest) (*clusterpb.SeedReleaseResponse, error) {
	if err := s.seeds.mayGive(); err != nil {
		return nil, err
	}
	return &clusterpb.SeedReleaseResponse{}, s.seeds.cfg.Holder.ReleaseHeld(req.GetCheckpointId())
}

// SeedHold keeps this node's log for the calling node.
func (s *peerService) SeedHold(ctx context.Context, req *clusterpb.SeedHoldRequest) (*clusterpb.SeedHoldResponse, error) {
	if s.seeds.cfg.Holder == nil {
		return nil, refuse(registry.CodeStatusProhibits, "", "", "this node holds no log for others")
	}
	if id := caller(ctx); id.Name != req.GetNodeId() {
		return nil, refuse(registry.CodeAuthorization, "node_id", req.GetNodeId(), "a node can ask for itself only")
	}
	first, err := s.seeds.cfg.Holder.HoldLog("seed "+req.GetNodeId(), req.GetIndex(), seedLogHold)
	if err != nil {
		return nil, err
	}
	return &clusterpb.SeedHoldResponse{FirstIndex: first}, nil
}

// SeedHash tells the state hash as of an index.
func (s *peerService) SeedHash(_ context.Context, req *clusterpb.SeedHashRequest) (*clusterpb.SeedHashResponse, error) {
	out := &clusterpb.SeedHashResponse{}
	err := s.store.View(func(tx *store.ReadTx) error {
		out.Hash, _ = tx.StateHashAt(req.GetIndex())
		return nil
	})
	return out, err
}
