package keystore_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cadastre/keystore"
	"cadastre/registry"
)

func open(t *testing.T, dir, seal string) *keystore.Store {
	t.Helper()
	s, err := keystore.Open(dir, seal)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSeal(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seal.key")
	if err := keystore.NewSealKey(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestKeysAreSealed makes keys of each algorithm, reads them back in another process's place and looks for their
// octets on the disk.
func TestKeysAreSealed(t *testing.T) {
	dir, seal := t.TempDir(), newSeal(t)
	for _, algorithm := range []uint8{8, 13, 15} {
		k, err := open(t, dir, seal).Generate("example", registry.KeyCSK, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		again := open(t, dir, seal)
		private, err := again.Private(k)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := again.Signer(k)
		if err != nil {
			t.Fatal(err)
		}
		hash, digest := crypto.SHA256, bytes.Repeat([]byte{7}, 32)
		if algorithm == 15 {
			hash = 0
		}
		if _, err := signer.Sign(rand.Reader, digest, hash); err != nil {
			t.Errorf("algorithm %d: %v", algorithm, err)
		}
		tail := private[len(private)-24:]
		err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %o", path, info.Mode().Perm())
			}
			content, err := os.ReadFile(path)
			for _, form := range [][]byte{tail, []byte(hex.EncodeToString(tail)), []byte(base64.StdEncoding.EncodeToString(tail))} {
				if bytes.Contains(content, form) {
					t.Errorf("%s holds a private key in the clear", path)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSealedFilesAreBound shows that a sealed file opens only under its seal key, unchanged and in its place.
func TestSealedFilesAreBound(t *testing.T) {
	dir, seal := t.TempDir(), newSeal(t)
	s := open(t, dir, seal)
	a, err := s.Generate("example", registry.KeyKSK, 13)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Generate("example", registry.KeyZSK, 13)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir, newSeal(t)).Signer(a); err == nil {
		t.Error("a key opens under another seal key")
	}
	fileA, fileB := filepath.Join(dir, "example", a.ID+".key"), filepath.Join(dir, "example", b.ID+".key")
	sealed, err := os.ReadFile(fileA)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(fileB, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	if open(t, dir, seal).Has(b) {
		t.Error("one sealed key stands for another")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if err := os.WriteFile(fileA, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if open(t, dir, seal).Has(a) {
			t.Fatalf("a key opens although octet %d was changed", i)
		}
	}
	if err := s.Put(b, mustPrivate(t, a, s, sealed, fileA)); err == nil {
		t.Error("a private half is taken for another public half")
	}
}

func mustPrivate(t *testing.T, k *registry.ZoneKey, s *keystore.Store, sealed []byte, path string) []byte {
	t.Helper()
	if err := os.WriteFile(path, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	private, err := s.Private(k)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// TestSealKeys shows which files are refused as seal keys.
func TestSealKeys(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, path := range map[string]string{
		"can be read by others": write("open", strings.Repeat("ab", 32), 0o644),
		"64 hexadecimal digits": write("short", "abcd", 0o600),
		"no such file":          filepath.Join(dir, "absent"),
	} {
		if _, err := keystore.Open(dir, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if err := keystore.NewSealKey(write("there", "x", 0o600)); err == nil {
		t.Error("a seal key overwrites a file")
	}
	disabled := open(t, dir, "")
	if _, err := disabled.Generate("example", registry.KeyCSK, 13); err == nil || disabled.Enabled() {
		t.Error("a node without a seal key makes keys")
	}
}
