package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// nextSuffix is of a certificate that waits to take the place of the one before.
const nextSuffix = ".next"

// replaceFiles puts a new certificate and key, which need one another, in the place of the
// old ones. The certificate is first written beside its place: a node that is killed between
// the two finds there what fits its new key, see finishReplace. Until the last file is in
// its place the loaded ones stay in use. after is called behind each step; nil is allowed.
func replaceFiles(paths Paths, authoritiesPEM, certificatePEM, keyPEM []byte, after func(step int) error) error {
	steps := []file{
		{paths.CA, authoritiesPEM, 0o644},
		{paths.Certificate + nextSuffix, certificatePEM, 0o644},
		{paths.Key, keyPEM, 0o600},
		{paths.Certificate, certificatePEM, 0o644},
	}
	for i, f := range steps {
		if err := writeFiles(filepath.Dir(f.name), []file{{filepath.Base(f.name), f.content, f.mode}}); err != nil {
			return fmt.Errorf("replace %s: %w", f.name, err)
		}
		if after != nil {
			if err := after(i); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(paths.Certificate + nextSuffix); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // another process that reads the files has seen that it is not needed
}

// finishReplace completes a replacement that was cut off, if the certificate that waits is
// that of the key in its place, and drops it otherwise.
func finishReplace(paths Paths) error {
	next := paths.Certificate + nextSuffix
	if _, err := os.Stat(next); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	fits := func(certificate string) bool {
		_, err := tls.LoadX509KeyPair(certificate, paths.Key)
		return err == nil
	}
	switch {
	case fits(next):
	case fits(paths.Certificate):
		return os.Remove(next)
	default:
		return nil // the caller says what is wrong
	}
	if err := os.Rename(next, paths.Certificate); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(paths.Certificate))
}
