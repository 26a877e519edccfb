package epp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"math"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	saltOctets = 16
	// roidEntropyOctets make 16 characters in base 32: 80 bits, so that a clash is not to be
	// expected among any number of objects.
	roidEntropyOctets = 10
)

func newSalt() ([]byte, error) {
	salt := make([]byte, saltOctets)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("draw a salt: %w", err)
	}
	return salt, nil
}

// newROID draws the unique part of an object identifier (RFC 5730 section 2.8): the letter
// of the kind of object and random characters.
func newROID(letter string) (string, error) {
	entropy := make([]byte, roidEntropyOctets)
	if _, err := rand.Read(entropy); err != nil {
		return "", fmt.Errorf("draw an object identifier: %w", err)
	}
	return letter + base32.StdEncoding.EncodeToString(entropy), nil
}

func hashAuthInfo(salt []byte, password string) []byte {
	sum := sha256.Sum256(append(append(make([]byte, 0, len(salt)+len(password)), salt...), password...))
	return sum[:]
}

// newAuthInfo hashes authorisation information that is to be stored. An empty password and
// <null/> unset it: nobody can present it then.
func (c *call) newAuthInfo(given *eppxml.AuthInfo) (*fsmpb.AuthInfo, error) {
	switch {
	case given == nil || given.Null:
		return &fsmpb.AuthInfo{}, nil
	case given.Ext != nil:
		return nil, refuse(registry.CodeUnimplementedOption, "authInfo", "", "authorisation information is a password here")
	case given.ROID != "":
		return nil, refuse(registry.CodeUnimplementedOption, "authInfo", "", "authorisation information of another object cannot be set")
	case given.Password == "":
		return &fsmpb.AuthInfo{}, nil
	}
	salt, err := newSalt()
	if err != nil {
		return nil, err
	}
	return &fsmpb.AuthInfo{Salt: salt, Hash: hashAuthInfo(salt, given.Password), Weak: isWeakAuthInfo(given.Password), Expires: c.level >= registry.LevelRegistrarAccess}, nil
}

const (
	// minAuthInfoBits is what authorisation information must take to guess (RFC 9154
	// section 4.1).
	minAuthInfoBits = 128
	// minDistinctCharacters tells random text from a few keys pressed again and again: of 20
	// random characters more than this are different, whatever the alphabet.
	minDistinctCharacters = 8
)

// isWeakAuthInfo estimates whether authorisation information can be guessed. It cannot see
// how a text was chosen, only from which alphabet it could have been drawn: 20 printable
// characters, 22 letters of both cases and digits, 25 of base 32 or base 36 reach 128 bits.
// A random text may lack digits by chance, so letters are taken to come with them.
func isWeakAuthInfo(password string) bool {
	var lower, upper, other bool
	distinct := map[rune]bool{}
	count := 0
	for _, r := range password {
		count++
		distinct[r] = true
		lower = lower || r >= 'a' && r <= 'z'
		upper = upper || r >= 'A' && r <= 'Z'
		other = other || !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}
	alphabet := 10
	switch {
	case other:
		alphabet = 94 // printable ASCII
	case lower && upper:
		alphabet = 62
	case lower || upper:
		alphabet = 36
	}
	return len(distinct) < minDistinctCharacters || float64(count)*math.Log2(float64(alphabet)) < minAuthInfoBits
}

// matchesAuthInfo says in constant time whether the password is the stored one, unless that
// has expired. The empty password matches nothing.
func matchesAuthInfo(stored registry.AuthInfo, password string, now time.Time) bool {
	if !stored.IsSet(now) || password == "" {
		return false
	}
	return subtle.ConstantTimeCompare(hashAuthInfo(stored.Salt, password), stored.Hash) == 1
}

// authTarget is an object whose authorisation information is presented.
type authTarget struct {
	object  registry.ROID
	sponsor registry.RegistrarID
	stored  registry.AuthInfo
}

// checkAuthInfo refuses authorisation information that a query gives and that is wrong, also
// by the sponsor. An empty password given by the sponsor asks whether none is set.
func (c *call) checkAuthInfo(tx *store.ReadTx, given *eppxml.AuthInfo, target *authTarget) error {
	switch {
	case given.Ext != nil:
		return refuse(registry.CodeUnimplementedOption, "authInfo", "", "authorisation information is a password here")
	case target.sponsor == c.registrar && given.Password == "" && !target.stored.IsSet(tx.Now()):
		return nil
	default:
		return c.present(tx, given, target)
	}
}

// present compares what the client presents with the information of the target. Wrong
// attempts at objects of others are counted once the command ends (countAttempt), and too
// many of them close the object.
func (c *call) present(tx *store.ReadTx, given *eppxml.AuthInfo, target *authTarget) error {
	isOther := target.sponsor != c.registrar
	if isOther {
		if err := fsm.CheckAuthInfoAttempt(tx, c.registrar, target.object); err != nil {
			return err
		}
	}
	if matchesAuthInfo(target.stored, given.Password, tx.Now()) {
		return nil
	}
	if isOther && given.Password != "" {
		c.wrongAttempt = target.object
	}
	return refuse(registry.CodeInvalidAuthInfo, "authInfo", "", "the authorisation information is not that of the object")
}

// countAttempt has a wrong attempt of the command counted everywhere, before the client
// learns that it was wrong.
func (c *call) countAttempt(ctx context.Context) error {
	if c.wrongAttempt == "" || c.level < registry.LevelRegistrarAccess {
		return nil
	}
	_, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_AuthInfoFailure{AuthInfoFailure: &fsmpb.AuthInfoFailure{Roid: string(c.wrongAttempt)}}})
	if errors.Is(err, registry.CodeInvalidAuthInfo) || errors.Is(err, registry.CodeObjectDoesNotExist) {
		return nil // closed, or gone, meanwhile
	}
	return err
}
