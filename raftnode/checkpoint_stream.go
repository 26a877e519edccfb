package raftnode

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The checkpoint stream, as peers and backups see it:
//
//	8 octets   magic
//	4 octets   length of the manifest, big endian
//	32 octets  SHA-256 of the manifest
//	manifest   JSON: position and files, with sizes and SHA-256
//	contents   of the files, one after another in the manifest's order
//
// The exact length is known before the first octet is sent, which raft demands.

const (
	streamMagic      = "CADCKPT1"
	streamHeaderSize = len(streamMagic) + 4 + sha256.Size

	// maxManifestBytes and maxStreamFiles bound what a peer can make this node allocate;
	// a state of a terabyte has some ten thousand files.
	maxManifestBytes = 32 << 20
	maxStreamFiles   = 100_000
	// maxStreamFileBytes and maxStreamBytes keep sums of sizes far from overflow.
	maxStreamFileBytes = 1 << 44
	maxStreamBytes     = 1 << 46
	maxFileNameOctets  = 128

	copyBufferBytes = 256 << 10
)

// ErrBadCheckpoint is returned when a checkpoint stream breaks its format, is cut short or
// does not match its checksums.
var ErrBadCheckpoint = errors.New("bad checkpoint stream")

// manifest describes a checkpoint. The position is a statement about the data for early
// checks; what counts is the one inside the data.
type manifest struct {
	Index uint64         `json:"index"`
	Term  uint64         `json:"term"`
	Files []manifestFile `json:"files"`
}

type manifestFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// buildManifest hashes every file of the checkpoint in dir.
func buildManifest(ctx context.Context, dir string, at position) (manifest, error) {
	m := manifest{Index: at.index, Term: at.term}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return m, fmt.Errorf("list checkpoint: %w", err)
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return m, fmt.Errorf("hash checkpoint: %w", err)
		}
		if entry.Name() == "LOCK" { // left by reading the checkpoint
			continue
		}
		if !entry.Type().IsRegular() {
			return m, fmt.Errorf("checkpoint holds %s, which is not a file", entry.Name())
		}
		file, err := hashFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return m, fmt.Errorf("hash checkpoint: %w", err)
		}
		m.Files = append(m.Files, file)
	}
	return m, m.validate()
}

func hashFile(path string) (manifestFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return manifestFile{}, err
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	n, err := io.CopyBuffer(h, f, make([]byte, copyBufferBytes))
	return manifestFile{Name: filepath.Base(path), Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}

// validate checks everything about a manifest that a hostile sender could abuse.
func (m *manifest) validate() error {
	if m.Index == 0 || m.Term == 0 {
		return fmt.Errorf("%w: no position", ErrBadCheckpoint)
	}
	if len(m.Files) == 0 || len(m.Files) > maxStreamFiles {
		return fmt.Errorf("%w: %d files, allowed are 1 to %d", ErrBadCheckpoint, len(m.Files), maxStreamFiles)
	}
	seen := make(map[string]bool, len(m.Files))
	var total int64
	for _, f := range m.Files {
		if !isPlainFileName(f.Name) || seen[f.Name] {
			return fmt.Errorf("%w: file name %q is not allowed or not unique", ErrBadCheckpoint, f.Name)
		}
		seen[f.Name] = true
		if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != sha256.Size {
			return fmt.Errorf("%w: file %q has no SHA-256", ErrBadCheckpoint, f.Name)
		}
		if f.Bytes < 0 || f.Bytes > maxStreamFileBytes {
			return fmt.Errorf("%w: file %q has %d octets", ErrBadCheckpoint, f.Name, f.Bytes)
		}
		if total += f.Bytes; total > maxStreamBytes {
			return fmt.Errorf("%w: more than %d octets in all", ErrBadCheckpoint, int64(maxStreamBytes))
		}
	}
	return nil
}

// isPlainFileName admits names without any path in them.
func isPlainFileName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return name != "" && len(name) <= maxFileNameOctets && name[0] != '.' && strings.Trim(name, allowed) == ""
}

// streamReader reads a checkpoint in dir as a stream.
type streamReader struct {
	io.Reader
	size  int64
	files []*lazyFile
}

func newStreamReader(dir string, m manifest) (*streamReader, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	if len(body) > maxManifestBytes {
		return nil, fmt.Errorf("the manifest has %d octets, more than %d", len(body), maxManifestBytes)
	}
	sum := sha256.Sum256(body)
	head := append([]byte(streamMagic), binary.BigEndian.AppendUint32(nil, uint32(len(body)))...)
	head = append(append(head, sum[:]...), body...)
	s := &streamReader{size: int64(len(head))}
	readers := []io.Reader{bytes.NewReader(head)}
	for _, f := range m.Files {
		lazy := &lazyFile{path: filepath.Join(dir, f.Name), left: f.Bytes}
		s.size += f.Bytes
		s.files = append(s.files, lazy)
		readers = append(readers, lazy)
	}
	s.Reader = io.MultiReader(readers...)
	return s, nil
}

// close closes what a reader that stopped early left open.
func (s *streamReader) close() {
	for _, f := range s.files {
		f.close()
	}
}

// lazyFile is opened when it is first read, so that a checkpoint of many files needs one
// descriptor at a time.
type lazyFile struct {
	path string
	left int64
	file *os.File
}

func (l *lazyFile) Read(p []byte) (int, error) {
	if l.left == 0 {
		l.close()
		return 0, io.EOF
	}
	if l.file == nil {
		f, err := os.Open(l.path)
		if err != nil {
			return 0, fmt.Errorf("read checkpoint: %w", err)
		}
		l.file = f
	}
	n, err := l.file.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	if errors.Is(err, io.EOF) && l.left > 0 {
		err = fmt.Errorf("read checkpoint: %s became shorter", l.path)
	}
	return n, err
}

func (l *lazyFile) close() {
	if l.file != nil {
		_ = l.file.Close() // only read
		l.file = nil
	}
}

// UnpackCheckpoint reads a stream that WriteCheckpoint made until r ends, checks it and
// leaves the checkpoint in dir, durable. dir must not exist; on an error it does not exist
// after either. The result is for store.Restore, which wants it on the file system of the
// store. Errors about the stream itself match ErrBadCheckpoint.
func UnpackCheckpoint(r io.Reader, dir string) error {
	_, err := unpackCheckpoint(r, dir)
	return err
}

func unpackCheckpoint(r io.Reader, dir string) (manifest, error) {
	m, err := readManifest(r)
	if err != nil {
		return m, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return m, fmt.Errorf("unpack checkpoint: %w", err)
	}
	if err := unpackFiles(r, dir, m); err != nil {
		return m, errors.Join(err, os.RemoveAll(dir))
	}
	return m, nil
}

func unpackFiles(r io.Reader, dir string, m manifest) error {
	buf := make([]byte, copyBufferBytes)
	h := sha256.New()
	for _, f := range m.Files {
		if err := unpackFile(r, dir, f, h, buf); err != nil {
			return err
		}
	}
	switch n, err := io.ReadFull(r, buf[:1]); {
	case n != 0:
		return fmt.Errorf("%w: octets after the end", ErrBadCheckpoint)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("%w: no proper end: %w", ErrBadCheckpoint, err)
	}
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
}

func unpackFile(r io.Reader, dir string, f manifestFile, h hash.Hash, buf []byte) error {
	out, err := os.OpenFile(filepath.Join(dir, f.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("unpack checkpoint: %w", err)
	}
	h.Reset()
	n, err := io.CopyBuffer(io.MultiWriter(out, h), io.LimitReader(r, f.Bytes), buf)
	if err == nil && n != f.Bytes {
		err = fmt.Errorf("%w: cut short in file %q", ErrBadCheckpoint, f.Name)
	}
	if err == nil && hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
		err = fmt.Errorf("%w: file %q does not match its SHA-256", ErrBadCheckpoint, f.Name)
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("unpack checkpoint: %w", err)
	}
	return nil
}

func readManifest(r io.Reader) (manifest, error) {
	var m manifest
	head := make([]byte, streamHeaderSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return m, fmt.Errorf("%w: cut short in the header: %w", ErrBadCheckpoint, err)
	}
	if string(head[:len(streamMagic)]) != streamMagic {
		return m, fmt.Errorf("%w: it does not begin as one of this version", ErrBadCheckpoint)
	}
	length := binary.BigEndian.Uint32(head[len(streamMagic):])
	if length > maxManifestBytes {
		return m, fmt.Errorf("%w: manifest of %d octets, allowed are %d", ErrBadCheckpoint, length, maxManifestBytes)
	}
	// Grown while it arrives, so that a stranger's length alone costs nothing.
	body, err := io.ReadAll(io.LimitReader(r, int64(length)))
	if err != nil {
		return m, fmt.Errorf("%w: cut short in the manifest: %w", ErrBadCheckpoint, err)
	}
	if len(body) != int(length) {
		return m, fmt.Errorf("%w: cut short in the manifest", ErrBadCheckpoint)
	}
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], head[streamHeaderSize-sha256.Size:]) {
		return m, fmt.Errorf("%w: the manifest does not match its SHA-256", ErrBadCheckpoint)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("%w: manifest: %w", ErrBadCheckpoint, err)
	}
	return m, m.validate()
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}
