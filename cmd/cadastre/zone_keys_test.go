package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
	"cadastre/keystore"
	"cadastre/registry"
	"cadastre/store"
)

type keyListAnswer struct {
	Keys     []keyDocument `json:"keys"`
	SignedAs string        `json:"signed_as"`
}

func keyList(t *testing.T, c *devtest.Cluster) (answer keyListAnswer) {
	t.Helper()
	if err := json.Unmarshal([]byte(c.MustCLI("key", "list", "example", "--json")), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// privateKeys unseals the private keys of a node whose process has ended.
func privateKeys(t *testing.T, info *devcluster.Info, node string) (secrets [][]byte) {
	t.Helper()
	n, err := info.Node(node)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(filepath.Join(n.Data, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	keys, err := keystore.Open(filepath.Join(n.Data, "keys"), filepath.Join(filepath.Dir(n.Config), "tls", devSealFile))
	if err != nil {
		t.Fatal(err)
	}
	err = st.View(func(tx *store.ReadTx) error {
		for _, k := range tx.ZoneKeys("example") {
			private, err := keys.Private(&k)
			if err != nil {
				return err
			}
			parsed, err := x509.ParsePKCS8PrivateKey(private)
			if err != nil {
				return err
			}
			key, ok := parsed.(*ecdsa.PrivateKey)
			if !ok {
				return fmt.Errorf("the key is a %T", parsed)
			}
			scalar, err := key.Bytes()
			if err != nil {
				return err
			}
			secrets = append(secrets, scalar)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

// requireAbsent looks for a secret in content, in every form in which it might have been written.
func requireAbsent(t *testing.T, where string, content []byte, secrets [][]byte) {
	t.Helper()
	for i, secret := range secrets {
		forms := [][]byte{secret, []byte(hex.EncodeToString(secret)), []byte(strings.ToUpper(hex.EncodeToString(secret)))}
		for shift := range 3 { // where in a longer text in base64 it may begin
			text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), secret...))
			forms = append(forms, []byte(text[4:len(text)-4]))
			forms = append(forms, []byte(strings.NewReplacer("+", "-", "/", "_").Replace(text[4:len(text)-4])))
		}
		for _, form := range forms {
			if bytes.Contains(content, form) {
				t.Errorf("%s holds private key %d in the clear", where, i)
			}
		}
	}
}

// TestPrivateKeysStayWithVoters runs a cluster with a replica, rolls a key, makes a backup, stops everything and looks
// for the private keys everywhere but in the sealed files of the voters.
func TestPrivateKeysStayWithVoters(t *testing.T) {
	c := devtest.Start(t, program(t), "--replicas", "1")
	c.MustCLI("key", "generate", "example", "--role", "csk")
	rolled := c.MustCLI("key", "roll", "example", "--reason", "test")
	if !strings.Contains(rolled, "standby -> published") {
		t.Errorf("the rollover says:\n%s", rolled)
	}
	c.Eventually(20*time.Second, "the keys on all voters", func() error {
		answer := keyList(t, c)
		if len(answer.Keys) != 2 { // what was generated stood by and was used
			return fmt.Errorf("%d keys", len(answer.Keys))
		}
		for _, k := range answer.Keys {
			if !slices.Equal(k.HeldBy, []string{"n1", "n2", "n3"}) {
				return fmt.Errorf("key %d is held by %v", k.Tag, k.HeldBy)
			}
		}
		if !strings.HasPrefix(answer.SignedAs, "nsec3-opt-out 13/") {
			return errors.New("signed as " + answer.SignedAs)
		}
		return nil
	})
	if ds := c.MustCLI("key", "ds", "example"); !strings.Contains(ds, "IN\tDS\t") {
		t.Errorf("key ds: %s", ds)
	}
	requireRefusedToReplica(t, c, keyList(t, c).Keys[0].ID)
	backup := filepath.Join(t.TempDir(), "backup")
	c.MustCLI("backup", "--out", backup)
	info := c.Info()
	c.Stop() // not killed: what is in the state's files is all of it then
	requireGone(t, c, info)
	output := c.Output() + c.Logs()

	secrets := privateKeys(t, info, "n2")
	if len(secrets) != 2 || len(secrets[0]) != 32 {
		t.Fatalf("n2 has %d keys", len(secrets))
	}
	if _, err := os.Stat(filepath.Join(info.Nodes[3].Data, "keys")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the replica has a folder of keys: %v", err)
	}
	requireAbsent(t, "standard output", []byte(output+rolled), secrets)
	files := 0
	for _, root := range []string{c.Dir, filepath.Dir(backup)} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			files++
			requireAbsent(t, path, content, secrets)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 20 {
		t.Errorf("only %d files were looked at", files)
	}
}

// requireRefusedToReplica asks a voter for a key as the replica and as the operator.
func requireRefusedToReplica(t *testing.T, c *devtest.Cluster, id string) {
	t.Helper()
	ask := func(paths cluster.Paths) error {
		creds, err := cluster.LoadCredentials(paths, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := cluster.Dial(creds, "", c.Node("n1").Admin)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, err = clusterpb.NewPeerClient(conn).KeyFetch(t.Context(), &clusterpb.KeyFetchRequest{Tld: "example", Id: id})
		return cluster.ErrorFromStatus(err)
	}
	of := func(node string) cluster.Paths {
		return cluster.PathsIn(filepath.Join(filepath.Dir(c.Node(node).Config), "tls"), node)
	}
	if err := ask(of("n2")); err != nil {
		t.Errorf("a voter was refused: %v", err)
	}
	if err := ask(of("n4")); !errors.Is(err, registry.CodeAuthorization) {
		t.Errorf("the replica was answered %v", err)
	}
	info := c.Info()
	if err := ask(cluster.Paths{CA: info.CA, Certificate: info.Operator.Cert, Key: info.Operator.Key}); !errors.Is(err, registry.CodeAuthorization) {
		t.Errorf("the operator was answered %v", err)
	}
}
