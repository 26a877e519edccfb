//go:build cgo

package keystore

import (
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/miekg/pkcs11"

	"cadastre/registry"
)

const (
	// tokenSessions is how many calls of the token are under way at a time: modules serve a few in parallel.
	tokenSessions = 4
	// tokenTimeout bounds a call: making an RSA key takes a slow module seconds.
	tokenTimeout = 20 * time.Second
	// tokenRetry spaces attempts to reach a token that was lost.
	tokenRetry = 5 * time.Second
	// maxTokenSlots and maxTokenObjects bound what is listed.
	maxTokenSlots   = 64
	maxTokenObjects = 4
)

// Token is a token behind PKCS #11, in which keys are made and which they never leave. It may be used by several
// goroutines, and by several voters at a time.
type Token struct {
	cfg TokenConfig

	mu      sync.Mutex
	link    *link                   // nil: out of reach
	lastTry time.Time               // of reaching it
	lastErr error                   // what came of that
	signers map[string]*tokenSigner // found keys, by id
	gone    map[string]struct{}     // keys known to be deleted, by id
}

// link is a connection to the module.
type link struct {
	module   *pkcs11.Ctx
	sessions chan pkcs11.SessionHandle
}

// OpenToken logs in to a token. One that is out of reach now is an error; later it is looked for again and again.
func OpenToken(cfg TokenConfig) (*Token, error) {
	t := &Token{cfg: cfg, signers: make(map[string]*tokenSigner), gone: make(map[string]struct{})}
	_, err := t.connect()
	return t, err
}

// connect returns the link to the module, made anew if need be.
func (t *Token) connect() (*link, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.link != nil {
		return t.link, nil
	}
	if time.Since(t.lastTry) < tokenRetry {
		return nil, t.lastErr
	}
	t.link, t.lastErr = t.open()
	t.lastTry = time.Now()
	return t.link, t.lastErr
}

func (t *Token) open() (*link, error) {
	pin, err := readPIN(t.cfg.PINFile)
	if err != nil {
		return nil, err
	}
	module := pkcs11.New(t.cfg.Module)
	if module == nil {
		return nil, fmt.Errorf("the PKCS #11 module %s cannot be loaded", t.cfg.Module)
	}
	if err := module.Initialize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		module.Destroy()
		return nil, fmt.Errorf("initialise the PKCS #11 module %s: %w", t.cfg.Module, err)
	}
	slot, err := t.findSlot(module)
	if err != nil {
		module.Destroy()
		return nil, err
	}
	l := &link{module: module, sessions: make(chan pkcs11.SessionHandle, tokenSessions)}
	for range tokenSessions {
		session, err := module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		if err == nil {
			l.sessions <- session
			if err = module.Login(session, pkcs11.CKU_USER, pin); errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
				err = nil // one login counts for all sessions
			}
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("log in to the token %q: %w", t.cfg.Label, err), l.close())
		}
	}
	return l, nil
}

func (t *Token) findSlot(module *pkcs11.Ctx) (uint, error) {
	slots, err := module.GetSlotList(true)
	if err != nil {
		return 0, fmt.Errorf("list the tokens of %s: %w", t.cfg.Module, err)
	}
	for _, slot := range slots[:min(len(slots), maxTokenSlots)] {
		if info, err := module.GetTokenInfo(slot); err == nil && info.Label == t.cfg.Label {
			return slot, nil
		}
	}
	return 0, fmt.Errorf("the PKCS #11 module %s has no token with the label %q", t.cfg.Module, t.cfg.Label)
}

// close ends the sessions that are not in use. The module itself stays initialised: other users of it may be in the process.
func (l *link) close() (err error) {
	for {
		select {
		case session := <-l.sessions:
			err = errors.Join(err, l.module.CloseSession(session))
		default:
			return err
		}
	}
}

// Close ends the use of the token.
func (t *Token) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.link
	t.link = nil
	clear(t.signers)
	if l == nil {
		return nil
	}
	return l.close()
}

// drop forgets a link that does not work.
func (t *Token) drop(l *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.link == l {
		t.link = nil
		clear(t.signers)
	}
}

// do calls fn with a session. A module whose device is away may hang for good, and a call into it cannot be ended: it
// keeps its session, so that there are never more such calls than sessions, and the caller goes on with an error.
func (t *Token) do(what string, fn func(module *pkcs11.Ctx, session pkcs11.SessionHandle) error) error {
	l, err := t.connect()
	if err != nil {
		return err
	}
	timeout := time.NewTimer(tokenTimeout)
	defer timeout.Stop()
	var session pkcs11.SessionHandle
	select {
	case session = <-l.sessions:
	case <-timeout.C:
		return fmt.Errorf("%s in the token %q: no answer within %s", what, t.cfg.Label, tokenTimeout)
	}
	done := make(chan error, 1)
	go func() {
		err := fn(l.module, session)
		l.sessions <- session
		done <- err
	}()
	select {
	case err = <-done:
	case <-timeout.C:
		err = fmt.Errorf("no answer within %s", tokenTimeout)
	}
	if err == nil {
		return nil
	}
	if code := pkcs11.Error(0); errors.As(err, &code) && isLost(code) {
		t.drop(l)
	}
	return fmt.Errorf("%s in the token %q: %w", what, t.cfg.Label, err)
}

// isLost says whether an error means that the session is over.
func isLost(code pkcs11.Error) bool {
	switch uint(code) {
	case pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_TOKEN_NOT_PRESENT,
		pkcs11.CKR_TOKEN_NOT_RECOGNIZED, pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED, pkcs11.CKR_GENERAL_ERROR,
		pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_KEY_HANDLE_INVALID:
		return true
	default:
		return false
	}
}

// Generate makes a key in the token.
func (t *Token) Generate(tld registry.DomainName, role registry.KeyRole, algorithm uint8) (*registry.ZoneKey, error) {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails: crypto/rand ends the process instead
	kind, err := kindOfKey(algorithm)
	if err != nil {
		return nil, err
	}
	k := &registry.ZoneKey{TLD: tld, ID: hex.EncodeToString(id), Role: role, Algorithm: algorithm, State: registry.KeyStandby}
	err = t.do("make a key", func(module *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		public, private := kind.templates(id, fmt.Sprintf("cadastre %s %s", tld, k.ID))
		handle, _, err := module.GenerateKeyPair(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(kind.generate, nil)}, public, private)
		if err != nil {
			return err
		}
		made, err := kind.public(module, session, handle)
		if err != nil {
			return err
		}
		k.PublicKey, err = publicOctets(made)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make a key of algorithm %d for %s: %w", algorithm, tld, err)
	}
	k.Tag = registry.KeyTag(k.Flags(), algorithm, k.PublicKey)
	return k, nil
}

// Signer returns what signs with a key of the token.
func (t *Token) Signer(k *registry.ZoneKey) (crypto.Signer, error) {
	t.mu.Lock()
	signer := t.signers[k.ID]
	t.mu.Unlock()
	if signer != nil {
		return signer, nil
	}
	id, err := tokenID(k.ID)
	if err != nil {
		return nil, err
	}
	kind, err := kindOfKey(k.Algorithm)
	if err != nil {
		return nil, err
	}
	signer = &tokenSigner{token: t, kind: kind}
	err = t.do("look for key "+k.ID, func(module *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		private, err := findOne(module, session, pkcs11.CKO_PRIVATE_KEY, id)
		if err != nil {
			return err
		}
		public, err := findOne(module, session, pkcs11.CKO_PUBLIC_KEY, id)
		if err != nil {
			return err
		}
		signer.private = private
		signer.public, err = kind.public(module, session, public)
		return err
	})
	if err == nil {
		err = samePublic(k, signer.public)
	}
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.signers[k.ID] = signer
	return signer, nil
}

// Has says whether the token has the key and is in reach.
func (t *Token) Has(k *registry.ZoneKey) bool {
	_, err := t.Signer(k)
	return err == nil
}

// Delete destroys a key in the token, for all voters.
func (t *Token) Delete(k *registry.ZoneKey) error {
	t.mu.Lock()
	_, gone := t.gone[k.ID]
	delete(t.signers, k.ID)
	t.mu.Unlock()
	if gone {
		return nil
	}
	id, err := tokenID(k.ID)
	if err != nil {
		return err
	}
	err = t.do("delete key "+k.ID, func(module *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
			handles, err := find(module, session, class, id)
			if err != nil {
				return err
			}
			for _, handle := range handles {
				// Another voter may have been quicker.
				if err := module.DestroyObject(session, handle); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_OBJECT_HANDLE_INVALID)) {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone[k.ID] = struct{}{}
	return nil
}

func findOne(module *pkcs11.Ctx, session pkcs11.SessionHandle, class uint, id []byte) (pkcs11.ObjectHandle, error) {
	handles, err := find(module, session, class, id)
	if err != nil {
		return 0, err
	}
	if len(handles) != 1 {
		return 0, fmt.Errorf("there are %d objects of the key, not 1", len(handles))
	}
	return handles[0], nil
}

func find(module *pkcs11.Ctx, session pkcs11.SessionHandle, class uint, id []byte) ([]pkcs11.ObjectHandle, error) {
	err := module.FindObjectsInit(session, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_ID, id)})
	if err != nil {
		return nil, err
	}
	handles, _, err := module.FindObjects(session, maxTokenObjects)
	return handles, errors.Join(err, module.FindObjectsFinal(session))
}
