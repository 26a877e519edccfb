package cluster

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"cadastre/raftnode"
)

// TestSaveBackupLeavesNothingBehind: a backup that failed has no file, and an existing file
// stays as it is.
func TestSaveBackupLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "monday.backup")
	lost := errors.New("the connection is lost")
	for _, tt := range []struct {
		name    string
		archive SaveBackupConfig
		want    error
	}{
		{"the stream breaks", SaveBackupConfig{Archive: iotest.ErrReader(lost)}, lost},
		{"something else arrives", SaveBackupConfig{Archive: strings.NewReader(strings.Repeat("what is this", 100))}, raftnode.ErrBadCheckpoint},
		{"nothing arrives", SaveBackupConfig{Archive: strings.NewReader("")}, raftnode.ErrBadCheckpoint},
	} {
		tt.archive.Path, tt.archive.TakenAt = path, time.Unix(0, 0)
		if _, err := SaveBackup(tt.archive); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: left are %v, %v", tt.name, left, err)
		}
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SaveBackup(SaveBackupConfig{Archive: strings.NewReader(""), Path: path}); !errors.Is(err, os.ErrExist) {
		t.Errorf("over an existing file: %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "precious" {
		t.Errorf("the existing file holds %q, %v", content, err)
	}
}

// FuzzReadBackup feeds the reader of manifests with files of any kind.
func FuzzReadBackup(f *testing.F) {
	good := append([]byte("archive"), appendFooter([]byte(`{"format_version":1,"cluster_id":"c","archive_bytes":7}`))...)
	f.Add(good)
	f.Add(good[1:])
	f.Add(good[:len(good)-1])
	f.Add([]byte(backupMagic))
	f.Add(append(bytes.Repeat([]byte{0xff}, 36), backupMagic...))
	f.Fuzz(func(t *testing.T, content []byte) {
		info, err := readBackup(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			if !errors.Is(err, ErrBadBackup) {
				t.Errorf("%v is no ErrBadBackup", err)
			}
			return
		}
		if info.FormatVersion != backupFormat || info.ArchiveBytes < 0 || info.ArchiveBytes >= int64(len(content)) {
			t.Errorf("accepted: %+v", info)
		}
	})
}
