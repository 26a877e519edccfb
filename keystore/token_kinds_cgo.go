//go:build cgo

package keystore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/miekg/pkcs11"

	"cadastre/dnssec"
)

// Of PKCS #11 3.0, which the binding does not name: keys on twisted Edwards curves.
const (
	mechanismEdwardsGenerate = 0x1055
	mechanismEdDSA           = 0x1057
)

const rsaKeyBits = 2048

// keyKind is what the keys of a DNSSEC algorithm are in a token.
type keyKind struct {
	algorithm      uint8
	generate, sign uint
	params         []byte // of elliptic curves
}

func kindOfKey(algorithm uint8) (*keyKind, error) {
	switch algorithm {
	case 8:
		return &keyKind{algorithm: 8, generate: pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, sign: pkcs11.CKM_RSA_PKCS}, nil
	case 13: // secp256r1, 1.2.840.10045.3.1.7
		return &keyKind{algorithm: 13, generate: pkcs11.CKM_EC_KEY_PAIR_GEN, sign: pkcs11.CKM_ECDSA, params: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}, nil
	case 15: // "edwards25519" as a printable string (PKCS #11 3.0 section 2.3.5)
		return &keyKind{algorithm: 15, generate: mechanismEdwardsGenerate, sign: mechanismEdDSA, params: append([]byte{0x13, 12}, "edwards25519"...)}, nil
	default:
		return nil, fmt.Errorf("zones are signed with algorithm 13 (ECDSA P-256), 15 (Ed25519) or 8 (RSA-2048), not %d", algorithm)
	}
}

// templates describe a new pair: kept, only for signing, and never to be read.
func (k *keyKind) templates(id []byte, label string) (public, private []*pkcs11.Attribute) {
	public = []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true),
		pkcs11.NewAttribute(pkcs11.CKA_ID, id), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	}
	if k.params != nil {
		public = append(public, pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, k.params))
	} else {
		public = append(public, pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, rsaKeyBits), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}))
	}
	private = []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_ID, id), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	}
	return public, private
}

// public reads a public key out of the token.
func (k *keyKind) public(module *pkcs11.Ctx, session pkcs11.SessionHandle, handle pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	if k.params == nil {
		got, err := module.GetAttributeValue(session, handle, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_MODULUS, nil), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, nil)})
		if err != nil {
			return nil, err
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(got[0].Value), E: int(new(big.Int).SetBytes(got[1].Value).Int64())}, nil
	}
	got, err := module.GetAttributeValue(session, handle, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	if err != nil {
		return nil, err
	}
	point := got[0].Value
	var inner []byte // an OCTET STRING, but for some modules
	if rest, err := asn1.Unmarshal(point, &inner); err == nil && len(rest) == 0 {
		point = inner
	}
	if k.algorithm == 15 {
		if len(point) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("a public key of Ed25519 with %d octets", len(point))
		}
		return ed25519.PublicKey(point), nil
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

func publicOctets(public crypto.PublicKey) ([]byte, error) { return dnssec.PublicKey(public) }

// tokenSigner signs with a key in a token.
type tokenSigner struct {
	token   *Token
	kind    *keyKind
	private pkcs11.ObjectHandle
	public  crypto.PublicKey
}

// Public returns the public half.
func (s *tokenSigner) Public() crypto.PublicKey { return s.public }

// Sign signs a digest, or with Ed25519 the message itself.
func (s *tokenSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	message := digest
	if s.kind.algorithm == 8 {
		if opts.HashFunc() != crypto.SHA256 {
			return nil, errors.New("RSA keys sign with SHA-256 here")
		}
		message = append(sha256Info(), digest...)
	}
	err = s.token.do("sign", func(module *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		if err := module.SignInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(s.kind.sign, nil)}, s.private); err != nil {
			return err
		}
		signature, err = module.Sign(session, message)
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.kind.algorithm != 13 {
		return signature, nil
	}
	half := len(signature) / 2 // r and s, where crypto.Signer has them in ASN.1
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
}

// sha256Info is what stands before a SHA-256 digest in a signature of PKCS #1 v1.5 (RFC 8017 section 9.2).
func sha256Info() []byte {
	return []byte{0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20}
}
