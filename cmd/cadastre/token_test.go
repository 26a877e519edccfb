package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/softhsm"
)

// TestNodeWithToken gives a node a token, has it roll from its sealed key to one in the token, makes a backup, and looks
// for the PIN everywhere.
func TestNodeWithToken(t *testing.T) {
	token := softhsm.New(t)
	binary := program(t)
	c := devtest.Start(t, binary, "--nodes", "1")
	c.Eventually(time.Minute, "the zone signed with a sealed key", func() error {
		if as := keyList(t, c).SignedAs; !strings.HasPrefix(as, "nsec3") {
			return errors.New("signed as " + as)
		}
		return nil
	})
	node := c.Node("n1")
	c.KillNode("n1")
	config, err := os.ReadFile(node.Config)
	if err != nil {
		t.Fatal(err)
	}
	text := string(config)
	for key, value := range map[string]string{"module": token.Module, "token": token.Label, "pin_file": token.PINFile} {
		before := text
		if text = strings.Replace(text, "\n"+key+" = ''\n", fmt.Sprintf("\n%s = %q\n", key, value), 1); text == before {
			t.Fatalf("the configuration has no empty key %q:\n%s", key, config)
		}
	}
	if err := os.WriteFile(node.Config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := devtest.Run(t, binary, "dev", "--dir", c.Dir, "--start", "n1"); r.Code != 0 {
		t.Fatalf("start n1: %s%s", r.Stdout, r.Stderr)
	}
	var rolled string
	c.Eventually(time.Minute, "a rollover", func() error {
		r := c.CLI("key", "roll", "example", "--emergency", "--reason", "into the token")
		rolled = r.Stdout
		if r.Code != 0 {
			return errors.New(r.Stderr)
		}
		return nil
	})
	var next keyDocument
	c.Eventually(time.Minute, "the key of the token at the apex", func() error {
		for _, k := range keyList(t, c).Keys {
			if next = k; k.State == "ready" {
				return nil
			}
		}
		return fmt.Errorf("the keys are %+v", keyList(t, c).Keys)
	})
	if files, err := filepath.Glob(filepath.Join(node.Data, "keys", "example", "*.key")); err != nil || len(files) != 1 {
		t.Errorf("sealed keys: %v, %v; want only the first one", files, err)
	}
	if next.Role != "CSK" || len(next.HeldBy) != 1 {
		t.Errorf("the key in the token: %+v", next)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	c.MustCLI("backup", "--out", backup)
	c.Stop()
	if strings.Contains(c.Output()+c.Logs()+rolled, token.PIN) {
		t.Error("the PIN is in the output")
	}
	for _, root := range []string{c.Dir, filepath.Dir(backup), token.Dir} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			if bytes.Contains(content, []byte(token.PIN)) {
				t.Errorf("%s holds the PIN", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
