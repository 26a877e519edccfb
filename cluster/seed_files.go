package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"cadastre/cluster/clusterpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

// What a pull keeps in its folder. Files are kept under their hash, so that what one
// checkpoint has in common with the next, or with an attempt before the process was killed,
// is fetched once.
const (
	pullBlobDir   = "files"
	pullPartial   = ".part"
	pullAssembly  = "assembly"
	pullState     = "state"
	sstableSuffix = ".sst"

	// parallelFiles are fetched at a time, so that many small ones from far away do not take a
	// round trip each.
	parallelFiles = 4
	// fileAttempts is how often a file is asked for again at the same node after the
	// connection broke without a further octet.
	fileAttempts = 3
	// maxPulledFiles is far above what a terabyte has.
	maxPulledFiles = 100_000
	// decoderMemory bounds what one frame may take.
	decoderMemory = 4 * seedChunkBytes
)

// fetchFiles fetches the files of the checkpoint that are not here yet.
func (p *puller) fetchFiles(ctx context.Context, s *pullSource, held *raftnode.HeldCheckpoint) error {
	if err := os.MkdirAll(filepath.Join(p.cfg.Dir, pullBlobDir), 0o700); err != nil {
		return err
	}
	if err := p.forgetOthers(held); err != nil {
		return err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(parallelFiles), zstd.WithDecoderMaxMemory(decoderMemory))
	if err != nil {
		return err
	}
	defer decoder.Close()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelFiles)
	seen := map[string]bool{}
	for _, f := range held.Files {
		if seen[f.SHA256] {
			p.fetched.Add(f.Bytes)
			continue
		}
		seen[f.SHA256] = true
		group.Go(func() error {
			fetch := &fileFetch{puller: p, source: s, checkpoint: held.ID, want: f, path: p.blob(f), decoder: decoder}
			if err := fetch.run(ctx); err != nil {
				return fmt.Errorf("fetch file %s: %w", f.Name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return syncFolder(filepath.Join(p.cfg.Dir, pullBlobDir))
}

func (p *puller) blob(f raftnode.CheckpointFile) string {
	return filepath.Join(p.cfg.Dir, pullBlobDir, strings.ToLower(f.SHA256))
}

// forgetOthers removes files of earlier checkpoints that this one does not have.
func (p *puller) forgetOthers(held *raftnode.HeldCheckpoint) error {
	wanted := make(map[string]bool, len(held.Files))
	for _, f := range held.Files {
		wanted[filepath.Base(p.blob(f))] = true
	}
	dir := filepath.Join(p.cfg.Dir, pullBlobDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !wanted[strings.TrimSuffix(e.Name(), pullPartial)] {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileFetch is the fetching of one file.
type fileFetch struct {
	puller     *puller
	source     *pullSource
	checkpoint string
	want       raftnode.CheckpointFile
	path       string
	decoder    *zstd.Decoder

	out  *os.File
	sum  hash.Hash
	have int64
}

// run goes on where an earlier attempt stopped and ends with the whole file, checked and
// durable. What was kept is as good as what arrives: both are part of the sum.
func (f *fileFetch) run(ctx context.Context) (err error) {
	if done, err := f.isThere(); done || err != nil {
		return err
	}
	if err := f.open(); err != nil {
		return err
	}
	defer func() {
		if f.out != nil {
			err = errors.Join(err, f.out.Close())
		}
	}()
	f.puller.fetched.Add(f.have)
	for failures := 0; f.have < f.want.Bytes; {
		before := f.have
		err := f.read(ctx)
		if err == nil && f.have < f.want.Bytes {
			err = io.ErrUnexpectedEOF
		}
		switch {
		case err == nil:
		case errors.Is(err, errBadSource), errors.Is(err, registry.CodeObjectDoesNotExist), ctx.Err() != nil:
			return err
		default:
			if failures++; f.have > before {
				failures = 1
			}
			if failures >= fileAttempts {
				return err
			}
		}
	}
	return f.finish()
}

// isThere says whether the file is here and whole; one that is not is removed.
func (f *fileFetch) isThere() (bool, error) {
	sum, err := hashOfFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !strings.EqualFold(hex.EncodeToString(sum), f.want.SHA256) {
		return false, os.Remove(f.path)
	}
	f.puller.fetched.Add(f.want.Bytes)
	return true, nil
}

func hashOfFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	return sum.Sum(nil), err
}

// open opens the partial file and takes its sum.
func (f *fileFetch) open() (err error) {
	f.out, err = os.OpenFile(f.path+pullPartial, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	f.sum = sha256.New()
	if f.have, err = io.Copy(f.sum, f.out); err != nil {
		return err
	}
	if f.have > f.want.Bytes {
		f.have = 0
		f.sum.Reset()
		if err := f.out.Truncate(0); err != nil {
			return err
		}
		_, err = f.out.Seek(0, io.SeekStart)
	}
	return err
}

// read receives from where the file ends now until the connection does.
func (f *fileFetch) read(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := f.source.client.SeedRead(ctx, &clusterpb.SeedReadRequest{
		CheckpointId: f.checkpoint, File: f.want.Name, Offset: f.have, Zstd: true,
	})
	if err != nil {
		return ErrorFromStatus(err)
	}
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return ErrorFromStatus(err)
		}
		if err := f.take(ctx, chunk); err != nil {
			return err
		}
	}
}

func (f *fileFetch) take(ctx context.Context, chunk *clusterpb.SeedChunk) error {
	data := chunk.GetData()
	if err := f.puller.pace.wait(ctx, len(data)); err != nil {
		return err
	}
	f.puller.wire.Add(int64(len(data)))
	if raw := chunk.GetRawBytes(); raw > 0 {
		if raw > decoderMemory {
			return fmt.Errorf("%w: a chunk of %d octets", errBadSource, raw)
		}
		var err error
		if data, err = f.decoder.DecodeAll(data, make([]byte, 0, raw)); err != nil || len(data) != int(raw) {
			f.discard()
			return fmt.Errorf("%w: a chunk cannot be decompressed: %w", errBadSource, err)
		}
	}
	if f.have+int64(len(data)) > f.want.Bytes {
		f.discard()
		return fmt.Errorf("%w: more than the %d octets of the file", errBadSource, f.want.Bytes)
	}
	if _, err := f.out.Write(data); err != nil {
		return fmt.Errorf("write what arrives: %w", err)
	}
	_, _ = f.sum.Write(data) // a hash never fails
	f.have += int64(len(data))
	f.puller.fetched.Add(int64(len(data)))
	f.puller.tell()
	return nil
}

// discard removes what cannot be trusted.
func (f *fileFetch) discard() {
	f.puller.fetched.Add(-f.have)
	f.have = 0
	_ = os.Remove(f.path + pullPartial) // what stays fails its sum later
}

func (f *fileFetch) finish() error {
	if got := hex.EncodeToString(f.sum.Sum(nil)); !strings.EqualFold(got, f.want.SHA256) {
		f.discard()
		return fmt.Errorf("%w: the file has SHA-256 %s, not %s", errBadSource, got, f.want.SHA256)
	}
	err := f.out.Sync()
	err = errors.Join(err, f.out.Close())
	f.out = nil
	if err != nil {
		return fmt.Errorf("make the file durable: %w", err)
	}
	return os.Rename(f.path+pullPartial, f.path)
}

// assemble puts the files together under their names, checks what they say, and gives the
// folder its name last, when everything in it is durable.
func (p *puller) assemble(held *raftnode.HeldCheckpoint) error {
	assembly, state := filepath.Join(p.cfg.Dir, pullAssembly), filepath.Join(p.cfg.Dir, pullState)
	for _, dir := range []string{assembly, state} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := os.Mkdir(assembly, 0o700); err != nil {
		return err
	}
	for _, f := range held.Files {
		if err := place(p.blob(f), filepath.Join(assembly, f.Name)); err != nil {
			return fmt.Errorf("put file %s in its place: %w", f.Name, err)
		}
	}
	if err := syncFolder(assembly); err != nil {
		return err
	}
	if err := checkState(assembly, p.cfg.ClusterID, held); err != nil {
		// Every file is as the source has it: the source is wrong.
		return errors.Join(fmt.Errorf("%w: %w", errBadSource, err), os.RemoveAll(assembly))
	}
	if err := os.Rename(assembly, state); err != nil {
		return err
	}
	if err := syncFolder(p.cfg.Dir); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(p.cfg.Dir, pullBlobDir))
}

// place links a table, which never changes, and copies what the engine may write to.
func place(from, to string) error {
	if strings.HasSuffix(to, sstableSuffix) {
		return os.Link(from, to)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// checkState recomputes the state hash from every row and compares it, the place in the log
// and the cluster with what was announced.
func checkState(dir, clusterID string, held *raftnode.HeldCheckpoint) error {
	return store.InspectCheckpoint(dir, func(tx *store.ReadTx) error {
		if got := tx.ClusterID(); got != clusterID {
			return fmt.Errorf("the state is of cluster %q, not %q", got, clusterID)
		}
		if index, term := tx.Applied(); index != held.Index || term != held.Term {
			return fmt.Errorf("the state is at index %d of term %d, announced were %d and %d", index, term, held.Index, held.Term)
		}
		if !bytes.Equal(tx.StateHash(), held.StateHash) || !bytes.Equal(tx.VerifyStateHash(), held.StateHash) {
			return fmt.Errorf("the rows do not match the state hash of index %d", held.Index)
		}
		return nil
	})
}
