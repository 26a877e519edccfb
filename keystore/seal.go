package keystore

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/crypto/chacha20poly1305"
)

// sealMagic begins every sealed file; its last character is the version of the format.
const sealMagic = "CADKEY-1"

// maxFileOctets bounds a sealed file and a file with a seal key; a key of RSA-4096 has some 2400 octets.
const maxFileOctets = 16 << 10

// readSealKey reads the 64 hexadecimal digits of a seal key. Nobody but the owner may read the file.
func readSealKey(path string) (cipher.AEAD, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the seal key: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the seal key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the seal key %s can be read by others (mode %o): chmod 600", path, info.Mode().Perm())
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFileOctets))
	if err != nil {
		return nil, fmt.Errorf("read the seal key: %w", err)
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(content)))
	if err != nil || len(key) != chacha20poly1305.KeySize {
		return nil, fmt.Errorf("the seal key %s is not %d hexadecimal digits; make one with `cadastre key new-seal`", path, 2*chacha20poly1305.KeySize)
	}
	return chacha20poly1305.NewX(key)
}

// NewSealKey writes a new random seal key to a file that must not be there yet.
func NewSealKey(path string) error {
	key := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make the seal key: %w", err)
	}
	_, err = fmt.Fprintf(f, "%x\n", key)
	return errors.Join(err, f.Sync(), f.Close())
}

// seal encrypts; bound is authenticated with it, so that one file cannot stand for another.
func seal(aead cipher.AEAD, plain []byte, bound string) []byte {
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return aead.Seal(append([]byte(sealMagic), nonce...), nonce, plain, []byte(sealMagic+bound))
}

func unseal(aead cipher.AEAD, sealed []byte, bound string) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(sealMagic))
	if !ok || len(rest) < aead.NonceSize() {
		return nil, errors.New("it is no sealed key of this version")
	}
	nonce, sealedKey := rest[:aead.NonceSize()], rest[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, sealedKey, []byte(sealMagic+bound))
	if err != nil {
		return nil, errors.New("the seal key is another one, or the file was changed")
	}
	return plain, nil
}
