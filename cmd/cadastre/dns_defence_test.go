package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadCookieSecrets(t *testing.T) {
	const one, two = "000102030405060708090a0b0c0d0e0f", "101112131415161718191a1b1c1d1e1f"
	for _, tt := range []struct {
		text string
		n    int
		err  string
	}{
		{one + "\n", 1, ""},
		{"# of November\n" + one + "\n\n" + two, 2, ""},
		{"", 0, "no cookie secret"},
		{one + "\n" + two[1:] + "\n", 0, ":2: a cookie secret is 32 hexadecimal digits"},
		{strings.Repeat("#", 5000), 0, "more than 4096 octets"},
	} {
		path := filepath.Join(t.TempDir(), "cookies")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		secrets, err := readCookieSecrets(path)
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) || len(secrets) != tt.n {
			t.Errorf("%q: %d secrets, %v", tt.text, len(secrets), err)
		}
		if err != nil && strings.Contains(err.Error(), two[1:]) {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
	if secrets, err := readCookieSecrets(""); secrets != nil || err != nil {
		t.Errorf("no file: %v %v", secrets, err)
	}
}
