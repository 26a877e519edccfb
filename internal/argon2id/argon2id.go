// Package argon2id makes and verifies password hashes in the PHC string format with
// Argon2id (RFC 9106), at the cost that OWASP gives as its minimum: 19 MiB, two passes.
package argon2id

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of new hashes.
const (
	memoryKiB = 19456
	passes    = 2
	lanes     = 1
	hashBytes = 32
)

// SaltBytes is how long the salt of a new hash should be (RFC 9106 section 3.1).
const SaltBytes = 16

// Bounds on the cost that Verify accepts, so that a stored string can never ask for more
// memory or time than a login may take.
const (
	maxMemoryKiB = 256 << 10
	maxPasses    = 16
	maxLanes     = 16
	maxHashBytes = 64
	maxPHCOctets = 512
)

// ErrFormat is returned by Verify when the stored string is not an argon2id hash in PHC
// form, or one beyond the bounds of this package.
var ErrFormat = errors.New("not an argon2id hash in PHC string format")

// Hash returns the PHC string of the password under the salt, which must be random.
func Hash(password string, salt []byte) string {
	key := argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, hashBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// Verify says whether phc is a hash of the password. It compares in constant time. The
// error matches ErrFormat.
func Verify(phc, password string) (bool, error) {
	h, err := parse(phc)
	if err != nil {
		return false, err
	}
	key := argon2.IDKey([]byte(password), h.salt, h.passes, h.memoryKiB, h.lanes, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1, nil
}

type parsed struct {
	memoryKiB, passes uint32
	lanes             uint8
	salt, key         []byte
}

func parse(phc string) (*parsed, error) {
	parts := strings.Split(phc, "$")
	if len(phc) > maxPHCOctets || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return nil, ErrFormat
	}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, fmt.Errorf("%w: only version %d of Argon2 is known", ErrFormat, argon2.Version)
	}
	h := &parsed{}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memoryKiB, &h.passes, &h.lanes); err != nil || n != 3 {
		return nil, fmt.Errorf("%w: the parameters are not m=,t=,p=", ErrFormat)
	}
	if parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.memoryKiB, h.passes, h.lanes) {
		return nil, fmt.Errorf("%w: the parameters are not m=,t=,p=", ErrFormat)
	}
	if h.passes < 1 || h.passes > maxPasses || h.lanes < 1 || h.lanes > maxLanes ||
		h.memoryKiB < 8*uint32(h.lanes) || h.memoryKiB > maxMemoryKiB {
		return nil, fmt.Errorf("%w: the cost is outside the bounds", ErrFormat)
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(h.salt) < 8 {
		return nil, fmt.Errorf("%w: the salt is not 8 octets or more in base64", ErrFormat)
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(h.key) < 16 || len(h.key) > maxHashBytes {
		return nil, fmt.Errorf("%w: the hash is not 16 to %d octets in base64", ErrFormat, maxHashBytes)
	}
	return h, nil
}
