package fsm_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// authority makes a certificate as clusters have them.
func authority(t *testing.T, notAfter time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return selfSigned(t, notAfter, &key.PublicKey, key)
}

func selfSigned(t *testing.T, notAfter time.Time, public, private any) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1 << 40), Subject: pkix.Name{CommonName: "cadastre CA"}, NotBefore: time.Unix(0, 0), NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestOnlyCertificatesAreTrusted: at level 4 what is trusted is a certificate, whole and alone.
func TestOnlyCertificatesAreTrusted(t *testing.T) {
	w := newWorld(t)
	version := 0
	put := func(authorities ...[]byte) string {
		var list []string
		for _, der := range authorities {
			list = append(list, fmt.Sprintf("%q", base64.StdEncoding.EncodeToString(der)))
		}
		answer := w.run(fmt.Sprintf(`operator trust_put {"expected_version": "%d", "authorities": [%s]}`, version, strings.Join(list, ", ")))
		if answer == "ok" {
			version++
		}
		return answer
	}
	if answer := put([]byte("not a certificate")); answer != "ok" {
		t.Fatalf("below the level: %s, want what it always was", answer)
	}
	w.must(`operator feature_level_raise {"level": 4}`)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := authority(t, time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC))
	for name, der := range map[string][]byte{
		"an authority":             good,
		"far ahead":                authority(t, time.Date(2106, 2, 7, 6, 28, 16, 0, time.UTC)), // a GeneralizedTime
		"of another kind of key":   selfSigned(t, time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC), public, private),
		"with a broken signature":  append(append([]byte{}, good[:len(good)-1]...), good[len(good)-1]^1), // the node that takes the command looks
		"as the program issues it": authority(t, time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)),
	} {
		if answer := put(der); answer != "ok" {
			t.Errorf("%s: %s", name, answer)
		}
	}
	if answer := put(good, authority(t, time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC))); answer != "ok" {
		t.Errorf("two: %s", answer)
	}
	bad := map[string][]byte{
		"text": []byte("not a certificate"), "an empty sequence": {0x30, 0}, "zeros": make([]byte, 300), "in PEM": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good}),
		"with more behind": append(append([]byte{}, good...), 0), "twice": append(append([]byte{}, good...), good...),
		"a length of 4 GiB": {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30},
	}
	for i := 1; i < len(good); i += 7 {
		bad[fmt.Sprintf("%d octets of it", i)] = good[:i]
	}
	for name, der := range bad {
		if answer := put(der); !strings.HasPrefix(answer, "parameter syntax error: it is not a certificate") && !strings.Contains(answer, "octets") {
			t.Errorf("%s: %s", name, answer)
		}
		if answer := put(good, der); answer == "ok" {
			t.Errorf("%s, as the second: ok", name)
		}
	}
	for i := range good { // what x509 takes as an authority, the state machine takes; nothing makes it stumble
		der := append([]byte{}, good...)
		der[i] ^= 0x15
		answer := put(der)
		if cert, err := x509.ParseCertificate(der); err == nil && cert.IsCA && answer != "ok" {
			t.Errorf("octet %d changed: x509 takes it, the state machine says %s", i, answer)
		}
	}
	w.checkInvariants()
}
