//go:build cgo

package keystore_test

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"cadastre/dnssec"
	"cadastre/internal/softhsm"
	"cadastre/keystore"
	"cadastre/registry"
)

func openToken(t *testing.T, token *softhsm.Token) *keystore.Token {
	t.Helper()
	opened, err := keystore.OpenToken(keystore.TokenConfig{Module: token.Module, Label: token.Label, PINFile: token.PINFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// checkSigns has the key sign a record set and checks the signature by its public half.
func checkSigns(k *registry.ZoneKey, signer crypto.Signer) error {
	tld := &registry.TLD{Name: k.TLD}
	record := dnssec.Record(tld, k)
	set := []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: "example.", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 60}, Ns: "a.example."}}
	sig := &dns.RRSIG{
		Hdr: dns.RR_Header{Name: "example.", Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: 60}, Algorithm: k.Algorithm, KeyTag: record.KeyTag(),
		SignerName: "example.", Inception: 1000, Expiration: 2000,
	}
	if err := sig.Sign(signer, set); err != nil {
		return err
	}
	return sig.Verify(record, set)
}

// TestToken tries keys in a token.
func TestToken(t *testing.T) {
	shared := softhsm.New(t)
	t.Run("keys", func(t *testing.T) { testTokenKeys(t, shared) })
	t.Run("never leave", func(t *testing.T) { testTokenKeyNeverLeaves(t, shared) })
	t.Run("errors", func(t *testing.T) { testTokenErrors(t, shared) })
}

// testTokenKeys makes keys of each algorithm in a token, signs with them as two voters that share it, and deletes them.
func testTokenKeys(t *testing.T, shared *softhsm.Token) {
	first, second := openToken(t, shared), openToken(t, shared)
	for _, algorithm := range []uint8{dns.ECDSAP256SHA256, dns.ED25519, dns.RSASHA256} {
		t.Run(dns.AlgorithmToString[algorithm], func(t *testing.T) {
			k, err := first.Generate("example", registry.KeyCSK, algorithm)
			if err != nil {
				t.Fatal(err)
			}
			var signing sync.WaitGroup
			errs := make([]error, 16)
			for i := range errs {
				signing.Go(func() {
					signer, err := []*keystore.Token{first, second}[i%2].Signer(k)
					if err == nil {
						err = checkSigns(k, signer)
					}
					errs[i] = err
				})
			}
			signing.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			other := *k
			other.PublicKey = append([]byte{1}, k.PublicKey[1:]...)
			if _, err := openToken(t, shared).Signer(&other); err == nil || !strings.Contains(err.Error(), "another one") {
				t.Errorf("a key under another public half: %v", err)
			}
			for _, voter := range []*keystore.Token{first, second, first} {
				if err := voter.Delete(k); err != nil {
					t.Error(err)
				}
			}
			if openToken(t, shared).Has(k) {
				t.Error("a deleted key is still there")
			}
		})
	}
	if _, err := first.Generate("example", registry.KeyCSK, 14); err == nil {
		t.Error("a key of an unknown algorithm was made")
	}
}

// testTokenKeyNeverLeaves checks that a key in a token is not handed over, and that sealed keys stay usable beside it.
func testTokenKeyNeverLeaves(t *testing.T, shared *softhsm.Token) {
	token := openToken(t, shared)
	dir := t.TempDir()
	seal := filepath.Join(dir, "seal.key")
	if err := keystore.NewSealKey(seal); err != nil {
		t.Fatal(err)
	}
	files, err := keystore.Open(filepath.Join(dir, "keys"), seal)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := files.Generate("example", registry.KeyCSK, dns.ED25519)
	if err != nil {
		t.Fatal(err)
	}
	keys := keystore.NewKeys(files, token)
	made, err := keys.Generate("example", registry.KeyCSK, dns.ECDSAP256SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if !keys.Has(made) || !keys.Has(sealed) || !keys.IsShared(made) || keys.IsShared(sealed) {
		t.Error("a key in the token is shared, a sealed one is not, and both are there")
	}
	if _, err := keys.Private(made); err == nil || !strings.Contains(err.Error(), "never leaves") {
		t.Errorf("the private half of a key in the token: %v", err)
	}
	if _, err := keys.Private(sealed); err != nil {
		t.Error(err)
	}
	if list, err := os.ReadDir(filepath.Join(dir, "keys", "example")); err != nil || len(list) != 1 {
		t.Errorf("the folder of keys holds %v, %v: want the sealed key only", list, err)
	}
	if err := errors.Join(keys.Delete(made), keys.Delete(sealed)); err != nil || keys.Has(made) || keys.Has(sealed) {
		t.Errorf("after the deletion: %v", err)
	}
}

// testTokenErrors has each way to name a wrong token fail with a line that says which, and without the PIN.
func testTokenErrors(t *testing.T, token *softhsm.Token) {
	write := func(name, pin string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(pin), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const wrong = "918273645"
	for want, cfg := range map[string]keystore.TokenConfig{
		"cannot be loaded":            {Module: "/nowhere.so", Label: token.Label, PINFile: token.PINFile},
		`no token with the label "x"`: {Module: token.Module, Label: "x", PINFile: token.PINFile},
		"can be read by others":       {Module: token.Module, Label: token.Label, PINFile: write("open", token.PIN, 0o644)},
		"holds no PIN":                {Module: token.Module, Label: token.Label, PINFile: write("empty", "\n", 0o600)},
		"no such file":                {Module: token.Module, Label: token.Label, PINFile: "/nowhere"},
		"log in to the token":         {Module: token.Module, Label: token.Label, PINFile: write("wrong", wrong, 0o600)},
	} {
		opened, err := keystore.OpenToken(cfg)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(fmt.Sprint(err), wrong) || strings.Contains(fmt.Sprint(err), token.PIN) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
		if opened.Has(&registry.ZoneKey{TLD: "example", ID: "00", Algorithm: 13}) {
			t.Errorf("%s: the token that is out of reach has a key", want)
		}
	}
}

// TestBuildsWithoutCgo builds the package as a static program has it.
func TestBuildsWithoutCgo(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED in short mode: a build without cgo")
	}
	build := exec.Command("go", "build", ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
