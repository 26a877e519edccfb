package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"cadastre/raftnode"
	"cadastre/store"
)

// A backup file is the checkpoint stream of raftnode, which begins the file, and the
// backup's manifest after it, which is known only when the state has been read:
//
//	checkpoint stream   with the SHA-256 of every file in it
//	manifest            JSON: a BackupInfo
//	32 octets           SHA-256 of the manifest
//	4 octets            length of the manifest, big endian
//	8 octets            magic
//
// A file that was cut short has no magic at its end.

const (
	backupMagic       = "CADBKUP1"
	backupFooterBytes = int64(sha256.Size + 4 + len(backupMagic))
	backupFormat      = 1
	// maxBackupManifestBytes bounds what a damaged length can make this program read; the
	// manifest names as many files as that of the checkpoint.
	maxBackupManifestBytes = 64 << 20
)

// ErrBadBackup is matched by errors about a backup file that is damaged, cut short or no
// backup at all.
var ErrBadBackup = errors.New("bad backup file")

// BackupInfo describes a backup.
type BackupInfo struct {
	FormatVersion  int       `json:"format_version"`
	ClusterID      string    `json:"cluster_id"`
	TakenAt        time.Time `json:"taken_at"`
	ProgramVersion string    `json:"program_version"`
	AppliedIndex   uint64    `json:"applied_index"`
	AppliedTerm    uint64    `json:"applied_term"`
	// StateHash is the hash over all rows as of AppliedIndex, hexadecimal.
	StateHash    string                    `json:"state_hash"`
	ArchiveBytes int64                     `json:"archive_bytes"`
	Files        []raftnode.CheckpointFile `json:"files"`
}

// SaveBackupConfig says what to save and where.
type SaveBackupConfig struct {
	// Archive is a checkpoint stream; its end of file means that it is whole.
	Archive io.Reader
	Path    string
	// ProgramVersion and TakenAt go into the manifest.
	ProgramVersion string
	TakenAt        time.Time
	// Progress is called with the octets received of how many; nil is allowed.
	Progress func(done, total int64)
	// Verifying is called when all has arrived and is being read back; nil is allowed.
	Verifying func()
}

// SaveBackup writes a backup, reads it back and checks it. The file gets its name only when
// all of that went well; an existing file is an error and stays as it is. Beside the file
// there must be room for the state once more while it is checked.
func SaveBackup(cfg SaveBackupConfig) (_ *BackupInfo, err error) {
	// The name is taken at once, so that two backups to one file cannot meet.
	claim, err := os.OpenFile(cfg.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the backup file: %w", err)
	}
	if err := claim.Close(); err != nil {
		return nil, fmt.Errorf("make the backup file: %w", err)
	}
	partial := cfg.Path + ".partial"
	defer func() {
		if err != nil {
			_ = os.Remove(partial)  // it may not exist
			_ = os.Remove(cfg.Path) // it is empty and ours
		}
	}()
	if err := writeArchive(cfg, partial); err != nil {
		return nil, fmt.Errorf("write %s: %w", partial, err)
	}
	if cfg.Verifying != nil {
		cfg.Verifying()
	}
	info, err := completeBackup(cfg, partial)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Rename(partial, cfg.Path), syncFolder(filepath.Dir(cfg.Path))); err != nil {
		return nil, fmt.Errorf("name the finished backup: %w", err)
	}
	return info, nil
}

// writeArchive writes what arrives to a new file, durably. What an earlier attempt left
// under its name is overwritten: it never was a backup.
func writeArchive(cfg SaveBackupConfig, partial string) (err error) {
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := &progressWriter{to: f, report: cfg.Progress}
	head, err := raftnode.ReadCheckpointInfo(io.TeeReader(cfg.Archive, w))
	if err != nil {
		return err
	}
	w.total = head.StreamBytes
	if _, err := io.CopyBuffer(w, cfg.Archive, make([]byte, checkpointChunkBytes)); err != nil {
		return err
	}
	return f.Sync()
}

type progressWriter struct {
	to          io.Writer
	done, total int64
	report      func(done, total int64)
}

func (w *progressWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.done += int64(n)
	if w.report != nil && w.total > 0 {
		w.report(w.done, w.total)
	}
	return n, err
}

// completeBackup reads the written archive back as a state, and adds the manifest that says
// what it holds.
func completeBackup(cfg SaveBackupConfig, partial string) (info *BackupInfo, err error) {
	f, err := os.OpenFile(partial, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("read the backup back: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("read the backup back: %w", err)
	}
	stateDir := partial + ".state"
	if err := os.RemoveAll(stateDir); err != nil {
		return nil, fmt.Errorf("make room to check the backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stateDir)) }()
	found, err := unpackArchive(io.NewSectionReader(f, 0, end), stateDir)
	if err != nil {
		return nil, fmt.Errorf("read the backup back: %w", err)
	}
	found.FormatVersion, found.TakenAt, found.ProgramVersion = backupFormat, cfg.TakenAt.UTC(), cfg.ProgramVersion
	body, err := json.Marshal(found)
	if err != nil {
		return nil, fmt.Errorf("encode the backup's manifest: %w", err)
	}
	if _, err := f.Write(appendFooter(body)); err != nil {
		return nil, fmt.Errorf("write the backup's manifest: %w", err)
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("write the backup's manifest: %w", err)
	}
	if _, err := readBackupFile(f); err != nil {
		return nil, fmt.Errorf("read the backup back: %w", err)
	}
	return found, nil
}

func appendFooter(manifest []byte) []byte {
	sum := sha256.Sum256(manifest)
	out := append(bytes.Clone(manifest), sum[:]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(manifest)))
	return append(out, backupMagic...)
}

// ReadBackupInfo reads what the backup says about itself. It checks the manifest, not what
// that speaks of; see UnpackBackup.
func ReadBackupInfo(path string) (*BackupInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := readBackupFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return info, nil
}

func readBackupFile(f *os.File) (*BackupInfo, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	return readBackup(f, size)
}

// readBackup reads the manifest at the end of a file of the size.
func readBackup(f io.ReaderAt, size int64) (*BackupInfo, error) {
	footer := make([]byte, backupFooterBytes)
	if size < backupFooterBytes {
		return nil, fmt.Errorf("%w: it has only %d octets", ErrBadBackup, size)
	}
	if _, err := f.ReadAt(footer, size-backupFooterBytes); err != nil {
		return nil, err
	}
	if string(footer[sha256.Size+4:]) != backupMagic {
		return nil, fmt.Errorf("%w: it does not end as a backup does; it is cut short or something else", ErrBadBackup)
	}
	length := int64(binary.BigEndian.Uint32(footer[sha256.Size:]))
	if length > min(maxBackupManifestBytes, size-backupFooterBytes) {
		return nil, fmt.Errorf("%w: its manifest cannot have %d octets", ErrBadBackup, length)
	}
	body := make([]byte, length)
	if _, err := f.ReadAt(body, size-backupFooterBytes-length); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], footer[:sha256.Size]) {
		return nil, fmt.Errorf("%w: its manifest does not match its SHA-256", ErrBadBackup)
	}
	var info BackupInfo
	if err := json.Unmarshal(body, &info); err != nil {
		return nil, fmt.Errorf("%w: its manifest: %w", ErrBadBackup, err)
	}
	if info.FormatVersion != backupFormat {
		return nil, fmt.Errorf("%w: it has format version %d, this program reads version %d", ErrBadBackup, info.FormatVersion, backupFormat)
	}
	if info.ArchiveBytes != size-backupFooterBytes-length {
		return nil, fmt.Errorf("%w: its archive has %d octets, the manifest says %d", ErrBadBackup, size-backupFooterBytes-length, info.ArchiveBytes)
	}
	return &info, nil
}

// UnpackBackup checks a backup completely and leaves its state in dir, which must not
// exist, as store.Open wants it: every checksum, the position, and the state hash computed
// anew from all rows. On an error dir does not exist after.
func UnpackBackup(path, dir string) (*BackupInfo, error) {
	info, err := unpackBackup(path, dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return info, nil
}

func unpackBackup(path, dir string) (*BackupInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := readBackupFile(f)
	if err != nil {
		return nil, err
	}
	found, err := unpackArchive(io.NewSectionReader(f, 0, info.ArchiveBytes), dir)
	if err != nil {
		return nil, err
	}
	if err := info.compare(found); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return info, nil
}

// compare says where the manifest and what was found differ.
func (b *BackupInfo) compare(found *BackupInfo) error {
	switch {
	case b.ClusterID != found.ClusterID:
		return fmt.Errorf("%w: the manifest is of cluster %q, the state of cluster %q", ErrBadBackup, b.ClusterID, found.ClusterID)
	case b.AppliedIndex != found.AppliedIndex || b.AppliedTerm != found.AppliedTerm:
		return fmt.Errorf("%w: the manifest says index %d of term %d, the state is at index %d of term %d",
			ErrBadBackup, b.AppliedIndex, b.AppliedTerm, found.AppliedIndex, found.AppliedTerm)
	case b.StateHash != found.StateHash:
		return fmt.Errorf("%w: the manifest has state hash %s, the state %s", ErrBadBackup, b.StateHash, found.StateHash)
	case !slices.Equal(b.Files, found.Files):
		return fmt.Errorf("%w: the manifest names other files than the archive", ErrBadBackup)
	}
	return nil
}

// unpackArchive unpacks a checkpoint stream into dir and returns what is in it, after
// checking it against itself.
func unpackArchive(archive *io.SectionReader, dir string) (_ *BackupInfo, err error) {
	head, err := raftnode.ReadCheckpointInfo(archive)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadBackup, err)
	}
	if _, err := archive.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("unpack the backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	err = raftnode.UnpackCheckpoint(archive, filepath.Join(dir, pullState))
	if errors.Is(err, raftnode.ErrBadCheckpoint) {
		return nil, fmt.Errorf("%w: %w", ErrBadBackup, err)
	}
	if err != nil {
		return nil, err
	}
	found, err := VerifyState(dir)
	if err != nil {
		return nil, err
	}
	if found.AppliedIndex != head.Index || found.AppliedTerm != head.Term {
		return nil, fmt.Errorf("%w: the archive is labelled index %d of term %d, the state in it is at index %d of term %d",
			ErrBadBackup, head.Index, head.Term, found.AppliedIndex, found.AppliedTerm)
	}
	return &BackupInfo{
		ClusterID: found.ClusterID, AppliedIndex: found.AppliedIndex, AppliedTerm: found.AppliedTerm,
		StateHash: hex.EncodeToString(found.StateHash), ArchiveBytes: head.StreamBytes, Files: head.Files,
	}, nil
}

// VerifiedState is a state whose hash was computed anew from all of its rows and agrees
// with the one that it carries.
type VerifiedState struct {
	ClusterID                 string
	AppliedIndex, AppliedTerm uint64
	StateHash                 []byte
}

// VerifyState opens the state in dir and verifies it. A state whose rows do not give the
// hash that it carries is an error that matches ErrBadState.
func VerifyState(dir string) (*VerifiedState, error) {
	st, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	state, err := VerifyOpenState(st)
	if err = errors.Join(err, st.Close()); err != nil {
		return nil, err
	}
	return state, nil
}

// ErrBadState is matched by the error about a state that differs from its own hash.
var ErrBadState = errors.New("the state is damaged")

// VerifyOpenState is VerifyState for a state that is open already.
func VerifyOpenState(st *store.Store) (*VerifiedState, error) {
	state := &VerifiedState{}
	var recomputed []byte
	err := st.View(func(tx *store.ReadTx) error {
		state.ClusterID, state.StateHash = tx.ClusterID(), tx.StateHash()
		state.AppliedIndex, state.AppliedTerm = tx.Applied()
		recomputed = tx.VerifyStateHash()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	if !bytes.Equal(recomputed, state.StateHash) {
		return nil, fmt.Errorf("%w: its rows give hash %x, it carries %x at index %d", ErrBadState, recomputed, state.StateHash, state.AppliedIndex)
	}
	return state, nil
}
