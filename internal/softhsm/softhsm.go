// Package softhsm makes tokens of SoftHSM for tests: a PKCS #11 module that is a library and a folder.
package softhsm

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Token is a fresh token.
type Token struct {
	Module, Label, PINFile string
	PIN                    string
	// Dir holds the objects of the token.
	Dir string
}

// New makes a token for the test, and has this process and those that it starts find it. It skips the test where SoftHSM
// is not installed. It is for one test of a package: the module looks for tokens once in the life of a process.
func New(t *testing.T) *Token {
	t.Helper()
	module := ""
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			module = path
		}
	}
	if _, err := exec.LookPath("softhsm2-util"); err != nil || module == "" {
		t.Skip("SKIPPED: SoftHSM is not installed (apt-get install softhsm2)")
	}
	root := t.TempDir()
	token := &Token{Module: module, Label: "cadastre", PIN: "4711-canary-pin", PINFile: filepath.Join(root, "pin"), Dir: filepath.Join(root, "tokens")}
	conf := filepath.Join(root, "softhsm2.conf")
	if err := os.Mkdir(token.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{
		conf: "directories.tokendir = " + token.Dir + "\nobjectstore.backend = file\nlog.level = ERROR\n", token.PINFile: token.PIN + "\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SOFTHSM2_CONF", conf) // with cgo, C sees it too
	init := exec.Command("softhsm2-util", "--init-token", "--free", "--label", token.Label, "--pin", token.PIN, "--so-pin", "12345678")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("make a token: %v\n%s", err, out)
	}
	return token
}
