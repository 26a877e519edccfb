package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/epp/eppclient"
)

// flipIn flips a bit of every place in the files that the pattern names where the text is
// followed by something, shift octets behind its beginning, and returns the files changed.
func flipIn(t *testing.T, pattern, text string, shift int) (changed []string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		flips := 0
		for at := 0; ; at += len(text) {
			next := bytes.Index(content[at:], []byte(text))
			if next < 0 {
				break
			}
			at += next
			if at+shift < len(content) {
				content[at+shift] ^= 0x04
				flips++
			}
		}
		if flips == 0 {
			continue
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0) // in place, as a disk would do it
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write(content)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		t.Logf("flipped %d bits in %s", flips, path)
		changed = append(changed, path)
	}
	return changed
}

// awaitEnd waits until a server has ended by itself, with a failure, and returns its last word.
func (o *offlineCluster) awaitEnd(id string) string {
	o.t.Helper()
	command := o.servers[id]
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		delete(o.servers, id)
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitError {
			o.t.Errorf("%s ended with %v", id, err)
		}
	case <-time.After(60 * time.Second):
		o.t.Fatalf("%s goes on\n%s", id, o.c.Logs())
	}
	return lastLogLine(o.node(id).Log)
}

// trySession opens a session with the node, nil if it does not serve.
func (o *offlineCluster) trySession(id string) *eppclient.Client {
	o.t.Helper()
	registrar := o.info.Registrars[0]
	config, err := eppclient.LoadTLS(o.info.CA, registrar.Cert, registrar.Key)
	if err != nil {
		o.t.Fatal(err)
	}
	client, err := eppclient.Dial(context.Background(), eppclient.Config{Address: o.node(id).EPP, TLS: config, Timeout: faultTimeout})
	if err != nil {
		return nil
	}
	if err := client.Login(context.Background(), registrar.ID, registrar.Password); err != nil {
		_ = client.Close() // nothing depends on it
		return nil
	}
	return client
}

// readsRight asks the node for every name and fails the test for an answer that is not the
// truth. It may get none, and says how many it got.
func (o *offlineCluster) readsRight(id string, names []string) (answered int) {
	o.t.Helper()
	var client *eppclient.Client
	defer func() {
		if client != nil {
			_ = client.Close() // nothing depends on it
		}
	}()
	for _, name := range names {
		if client == nil {
			if client = o.trySession(id); client == nil {
				return answered
			}
		}
		response, err := client.Do(context.Background(), domainInfo(name), "read-1")
		switch {
		case err != nil:
			return answered
		case response.Code() == 1000:
			answered++
		case response.Code() < 2400:
			o.t.Errorf("%s on %s is answered with %d", name, id, response.Code())
		}
	}
	return answered
}

// TestDamagedDataIsDetected flips bits in what a node has on its disk. The node must find
// out, say which file it is, end, and serve nothing wrong before; then one command rebuilds
// it from its peers, which go on meanwhile.
func TestDamagedDataIsDetected(t *testing.T) {
	o := runningOffline(t)
	names := o.register("n1", "damage", 60)
	o.waitVoters("n1", 3)
	data := o.node("n3").Data
	for _, test := range []struct {
		name string
		// damage returns what the last word must name.
		damage func(t *testing.T) []string
		reads  bool // the damage is met when it is read
	}{
		{"a table of the state", func(t *testing.T) []string {
			return flipIn(t, filepath.Join(data, "store", "state", "*.sst"), "damage-0", 3)
		}, true},
		{"the list of the state's files", func(t *testing.T) []string {
			return flipIn(t, filepath.Join(data, "store", "state", "MANIFEST-*"), "leveldb.BytewiseComparator", 3)
		}, false},
		{"the Raft log", func(t *testing.T) []string {
			return flipIn(t, filepath.Join(data, "raft", "log", "*"), "meanwhile-", 3) // those made since n3 was rebuilt
		}, false},
		{"the stable store", func(t *testing.T) []string {
			return flipIn(t, filepath.Join(data, "raft", "*"), "CurrentTerm", len("CurrentTerm")+7)
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			o.register("n2", "meanwhile-"+strings.Map(letters, test.name), 5)
			o.waitVoters("n1", 3)
			o.stop("n3")
			o.must("node", "verify", "--config", o.node("n3").Config) // which also makes tables of what was in memory
			paths := test.damage(t)
			if len(paths) == 0 {
				t.Fatal("nothing was damaged")
			}
			o.start("n3")
			if test.reads {
				o.c.Eventually(30*time.Second, "an answer of n3, or its end", func() error {
					if o.trySession("n3") == nil && !strings.Contains(lastLogLine(o.node("n3").Log), "cadastre: ") {
						return errors.New("neither")
					}
					return nil
				})
				t.Logf("%d of %d answers before it ended", o.readsRight("n3", names), len(names))
			}
			word := o.awaitEnd("n3")
			t.Logf("its last word: %s", word)
			if !strings.HasPrefix(word, "cadastre: ") || !slices.ContainsFunc(paths, func(path string) bool { return strings.Contains(word, filepath.Base(path)) }) {
				t.Errorf("the last word of n3 names none of %q: %s", paths, word)
			}
			if r := devtest.Run(t, program(t), "node", "verify", "--config", o.node("n3").Config); r.Code != exitError {
				t.Errorf("node verify finds nothing: %s", r.Stdout)
			}
			o.register("n2", "without-"+strings.Map(letters, test.name), 3) // the others go on
			if r := o.rebuild("n3", "n1"); r.Code != exitOK {
				t.Fatalf("rebuild: %d %s", r.Code, r.Stderr)
			}
			o.start("n3")
			o.waitVoters("n1", 3)
			if answered := o.readsRight("n3", names); answered != len(names) {
				t.Errorf("after the rebuild %d of %d answers", answered, len(names))
			}
		})
	}
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return -1
}

// TestDamagedIdentityIsDetected flips bits in a node's certificate, key and authority files:
// none of them starts a node, and the line names the file.
func TestDamagedIdentityIsDetected(t *testing.T) {
	config := preparedNode(t)
	cfg := mustLoad(t, config(nil))
	unread := 0
	for _, file := range []string{cfg.TLS.CA, cfg.TLS.Cert, cfg.TLS.Key} {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for at := 3; at < len(whole)-30; at += len(whole)/20 + 1 {
			spoilt := bytes.Clone(whole)
			spoilt[at] ^= 0x04
			if err := os.WriteFile(file, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
			n := &node{cfg: cfg}
			err := n.loadIdentity()
			if err == nil && file == cfg.TLS.Key && sameKey(t, cfg, whole) {
				unread++ // the public half, of which the file has a copy that nobody reads
			} else if err == nil {
				t.Errorf("%s with octet %d changed from %q to %q is accepted", file, at, whole[at], spoilt[at])
			} else if !strings.Contains(err.Error(), file) {
				t.Errorf("octet %d of %s: the error names another file: %v", at, file, err)
			}
		}
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := (&node{cfg: cfg}).loadIdentity(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of the flips are in what nobody reads", unread)
}

// sameKey says whether the key file holds the same private key as the content given.
func sameKey(t *testing.T, cfg *Config, whole []byte) bool {
	t.Helper()
	certificate, err := os.ReadFile(cfg.TLS.Cert)
	if err != nil {
		t.Fatal(err)
	}
	was, err := tls.X509KeyPair(certificate, whole)
	if err != nil {
		t.Fatal(err)
	}
	is, err := tls.LoadX509KeyPair(cfg.TLS.Cert, cfg.TLS.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := was.PrivateKey.(*ecdsa.PrivateKey)
	return ok && key.Equal(is.PrivateKey)
}
