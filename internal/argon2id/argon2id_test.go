package argon2id

import (
	"errors"
	"strings"
	"testing"
)

func TestHashAndVerify(t *testing.T) {
	phc := Hash("foo-BAR2", []byte("0123456789abcdef"))
	if want := "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"; !strings.HasPrefix(phc, want) {
		t.Fatalf("Hash = %q, want prefix %q", phc, want)
	}
	for password, want := range map[string]bool{"foo-BAR2": true, "foo-BAR3": false, "": false} {
		got, err := Verify(phc, password)
		if err != nil || got != want {
			t.Errorf("Verify(%q) = %v, %v, want %v", password, got, err, want)
		}
	}
	if other := Hash("foo-BAR2", []byte("fedcba9876543210")); other == phc {
		t.Error("two salts give the same hash")
	}
}

func TestVerifyRefusesOtherForms(t *testing.T) {
	for _, phc := range []string{
		"", "secret", "$argon2i$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=16$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=99999999,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=0,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1 $MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1$!!$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$",
		strings.Repeat("$", 600),
	} {
		if ok, err := Verify(phc, "x"); ok || !errors.Is(err, ErrFormat) {
			t.Errorf("Verify(%q) = %v, %v, want ErrFormat", phc, ok, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, phc string) {
		h, err := parse(phc)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("parse(%q): %v does not match ErrFormat", phc, err)
		}
		if err == nil && (h.memoryKiB > maxMemoryKiB || h.passes > maxPasses) {
			t.Fatalf("parse(%q) admits a cost beyond the bounds", phc)
		}
	})
}
