package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newCA(t *testing.T) *CA {
	t.Helper()
	ca, err := InitCA(filepath.Join(t.TempDir(), "ca"), "")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func issue(t *testing.T, ca *CA, kind Kind, name string) *Bundle {
	t.Helper()
	var hosts []string
	if kind == KindNode {
		hosts = []string{"127.0.0.1", "localhost"}
	}
	b, err := ca.Issue(kind, name, hosts, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func credentialsOf(t *testing.T, ca *CA, kind Kind, name string) *Credentials {
	t.Helper()
	dir := t.TempDir()
	if err := issue(t, ca, kind, name).Write(dir); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCredentials(PathsIn(dir, name), testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestInitCAWritesSecretFilesForOwnerOnlyAndNeverOverwrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	ca, err := InitCA(dir, "cluster-one")
	if err != nil {
		t.Fatal(err)
	}
	if ca.ClusterID() != "cluster-one" {
		t.Errorf("cluster id %q", ca.ClusterID())
	}
	for name, want := range map[string]os.FileMode{CACertFile: 0o644, CAKeyFile: 0o600, GossipKeyFile: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), want)
		}
	}
	before, _ := os.ReadFile(filepath.Join(dir, CAKeyFile))
	if _, err := InitCA(dir, ""); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("second InitCA: %v", err)
	}
	after, _ := os.ReadFile(filepath.Join(dir, CAKeyFile))
	if string(before) != string(after) {
		t.Error("the key was overwritten")
	}
	keys, err := LoadGossipKeys(filepath.Join(dir, GossipKeyFile))
	if err != nil || len(keys) != 1 || len(keys[0]) != 32 {
		t.Errorf("gossip keys %v, %v", keys, err)
	}
}

func TestBundleLayout(t *testing.T) {
	ca := newCA(t)
	tests := []struct {
		kind  Kind
		name  string
		files string
	}{
		{KindNode, "n1", "ca.crt gossip.key n1.crt n1.key"},
		{KindRegistrar, "Registrar-A", "Registrar-A.crt Registrar-A.key ca.crt"},
		{KindOperator, "alice", "alice.crt alice.key ca.crt"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		b := issue(t, ca, tt.kind, tt.name)
		if err := b.Write(dir); err != nil {
			t.Fatal(err)
		}
		entries, _ := os.ReadDir(dir)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
			info, _ := e.Info()
			if strings.HasSuffix(e.Name(), ".key") && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %o", e.Name(), info.Mode().Perm())
			}
		}
		if got := strings.Join(names, " "); got != tt.files {
			t.Errorf("%s: files %q, want %q", tt.kind, got, tt.files)
		}
		id, err := ParseIdentity(b.Certificate)
		if want := (Identity{ca.ClusterID(), tt.kind, tt.name}); err != nil || id != want {
			t.Errorf("identity %v, %v; want %v", id, err, want)
		}
		serverUse := len(b.Certificate.ExtKeyUsage) == 2
		if serverUse != (tt.kind == KindNode) {
			t.Errorf("%s: extended key usages %v", tt.kind, b.Certificate.ExtKeyUsage)
		}
	}
}

func TestIssueRefuses(t *testing.T) {
	ca := newCA(t)
	tests := []struct {
		label    string
		kind     Kind
		name     string
		hosts    []string
		lifetime time.Duration
	}{
		{"unknown kind", "ca", "x", nil, time.Hour},
		{"empty name", KindNode, "", nil, time.Hour},
		{"path in name", KindNode, "a/b", nil, time.Hour},
		{"upper case node", KindNode, "N1", nil, time.Hour},
		{"hidden file", KindOperator, ".ssh", nil, time.Hour},
		{"long name", KindOperator, strings.Repeat("a", 64), nil, time.Hour},
		{"registrar with a space", KindRegistrar, "reg a", nil, time.Hour},
		{"hosts of an operator", KindOperator, "alice", []string{"127.0.0.1"}, time.Hour},
		{"bad host", KindNode, "n1", []string{"no host"}, time.Hour},
		{"no lifetime", KindNode, "n1", nil, 0},
		{"longer than the CA", KindNode, "n1", nil, 2 * CALifetime},
	}
	for _, tt := range tests {
		if _, err := ca.Issue(tt.kind, tt.name, tt.hosts, tt.lifetime); err == nil {
			t.Errorf("%s: issued", tt.label)
		}
	}
}

func TestParseIdentityRefuses(t *testing.T) {
	for _, uris := range [][]string{
		{},
		{"https://cluster-one/node/n1"},
		{"cadastre://cluster-one/node/n1", "cadastre://cluster-one/operator/alice"},
		{"cadastre://cluster-one/ca"},
		{"cadastre://cluster-one/node/n1/x"},
		{"cadastre://cluster-one/node/"},
		{"cadastre://cluster-one/node/n1?x=1"},
		{"cadastre://user@cluster-one/node/n1"},
		{"cadastre://cluster-one/node/n%31"},
		{"cadastre:///node/n1"},
		{"cadastre://cluster-one/admin/root"},
	} {
		cert := &x509.Certificate{}
		for _, s := range uris {
			u, err := url.Parse(s)
			if err != nil {
				t.Fatal(err)
			}
			cert.URIs = append(cert.URIs, u)
		}
		if id, err := ParseIdentity(cert); err == nil {
			t.Errorf("%q: accepted as %v", uris, id)
		}
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add("cadastre://cluster-one/node/n1")
	f.Add("cadastre://cluster-one/registrar/Reg_A")
	f.Add("cadastre://x//../node/n1#f")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil {
			return
		}
		id, err := ParseIdentity(&x509.Certificate{URIs: []*url.URL{u}})
		if err == nil && id.String() != u.String() {
			t.Errorf("%q was read as %q", u, id)
		}
	})
}

func TestLoadCredentialsRefusesAnotherClustersCA(t *testing.T) {
	dir := t.TempDir()
	if err := issue(t, newCA(t), KindNode, "n1").Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := issue(t, newCA(t), KindOperator, "alice").Write(dir); err != nil { // replaces ca.crt
		t.Fatal(err)
	}
	if _, err := LoadCredentials(PathsIn(dir, "n1"), testLog(t)); err == nil || !strings.Contains(err.Error(), "is the CA of cluster") {
		t.Errorf("got %v", err)
	}
}

func TestRenewedCertificateIsUsedWithoutRestart(t *testing.T) {
	ca := newCA(t)
	dir := t.TempDir()
	first := issue(t, ca, KindNode, "n1")
	if err := first.Write(dir); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCredentials(PathsIn(dir, "n1"), testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	second := issue(t, ca, KindNode, "n1")
	if err := second.Write(dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second certificate is in use", func() bool {
		return c.Certificate().SerialNumber.Cmp(second.Certificate.SerialNumber) == 0
	})
	// A broken or foreign file does not take the good one away.
	if err := os.WriteFile(filepath.Join(dir, "n1.crt"), []byte("garbage"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.checkedAt = time.Time{}
	c.mu.Unlock()
	if c.Certificate().SerialNumber.Cmp(second.Certificate.SerialNumber) != 0 {
		t.Error("a broken file replaced the loaded certificate")
	}
}

// handshake connects a client to a server and returns both errors.
func handshake(t *testing.T, server, client *tls.Config) (serverErr, clientErr error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	done := make(chan error, 1)
	go func() {
		raw, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer func() { _ = raw.Close() }()
		conn := tls.Server(raw, server)
		err = conn.HandshakeContext(testContext(t))
		if err == nil {
			_, err = conn.Write([]byte("x"))
		}
		done <- err
	}()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	conn := tls.Client(raw, client)
	clientErr = conn.HandshakeContext(testContext(t))
	if clientErr == nil {
		_, clientErr = conn.Read(make([]byte, 1))
	} else {
		_ = raw.Close()
	}
	return <-done, clientErr
}

func TestHandshakes(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	// The other cluster claims our id, which only a certificate of its CA could do.
	impostor, err := InitCA(filepath.Join(t.TempDir(), "ca"), ca.ClusterID())
	if err != nil {
		t.Fatal(err)
	}
	node := credentialsOf(t, ca, KindNode, "n1")
	clients := map[string]*Credentials{
		"node":           credentialsOf(t, ca, KindNode, "n2"),
		"operator":       credentialsOf(t, ca, KindOperator, "alice"),
		"registrar":      credentialsOf(t, ca, KindRegistrar, "reg-a"),
		"other node":     credentialsOf(t, other, KindNode, "n2"),
		"impostor node":  credentialsOf(t, impostor, KindNode, "n2"),
		"impostor regis": credentialsOf(t, impostor, KindRegistrar, "reg-a"),
	}
	tests := []struct {
		label   string
		server  *tls.Config
		admits  string
		offered string // what the client must find at the server
	}{
		{"nodes and operators", node.PeerServerTLS(AdmitKinds(KindNode, KindOperator)), "node operator", "n1"},
		{"nodes only", node.PeerServerTLS(AdmitKinds(KindNode)), "node", "n1"},
		{"nobody", node.PeerServerTLS(AdmitKinds()), "", "n1"},
		{"registrars", node.RegistrarServerTLS(), "registrar", "n1"},
	}
	for _, tt := range tests {
		for name, c := range clients {
			t.Run(tt.label+"/"+name, func(t *testing.T) {
				serverErr, clientErr := handshake(t, tt.server, c.PeerClientTLS(tt.offered))
				want := strings.Contains(" "+tt.admits+" ", " "+name+" ")
				if (serverErr == nil) != want || (clientErr == nil) != want {
					t.Errorf("admitted %v, want %v: server %v, client %v", serverErr == nil, want, serverErr, clientErr)
				}
			})
		}
		t.Run(tt.label+"/no certificate", func(t *testing.T) {
			serverErr, _ := handshake(t, tt.server, &tls.Config{InsecureSkipVerify: true})
			if serverErr == nil {
				t.Error("admitted")
			}
		})
	}
	t.Run("the client refuses another node", func(t *testing.T) {
		_, clientErr := handshake(t, node.PeerServerTLS(AdmitKinds(KindNode)), clients["node"].PeerClientTLS("n9"))
		if clientErr == nil {
			t.Error("a server n1 passed for n9")
		}
	})
	t.Run("the client refuses an impostor", func(t *testing.T) {
		server := clients["impostor node"].PeerServerTLS(AdmitKinds(KindNode))
		_, clientErr := handshake(t, server, clients["node"].PeerClientTLS(""))
		if clientErr == nil {
			t.Error("a server of another CA was accepted")
		}
	})
}

func TestRegistrarTLSRefusesOldVersionsAndSuites(t *testing.T) {
	ca := newCA(t)
	server := credentialsOf(t, ca, KindNode, "n1").RegistrarServerTLS()
	registrar := credentialsOf(t, ca, KindRegistrar, "reg-a")
	tests := []struct {
		label string
		limit func(*tls.Config)
		want  bool
	}{
		{"TLS 1.3", func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, true},
		{"TLS 1.2", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }, true},
		{"TLS 1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, false},
		{"CBC suite", func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		}, false},
	}
	for _, tt := range tests {
		client := registrar.PeerClientTLS("n1")
		tt.limit(client)
		if serverErr, clientErr := handshake(t, server, client); (serverErr == nil) != tt.want {
			t.Errorf("%s: server %v, client %v", tt.label, serverErr, clientErr)
		}
	}
}
