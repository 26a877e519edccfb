package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"
)

const minimalConfig = `
node_id = "n1"
data_dir = "data"
[tls]
ca = "tls/ca.crt"
cert = "/etc/n1.crt"
key = "tls/n1.key"
[raft]
listen = "192.0.2.1:7946"
[grpc]
listen = "192.0.2.1:7947"
[gossip]
key_file = "tls/gossip.key"
`

func writeConfig(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "node.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadConfigDefaultsAndPaths(t *testing.T) {
	path := writeConfig(t, minimalConfig)
	got, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	want := defaultConfig()
	want.NodeID, want.DataDir = "n1", filepath.Join(dir, "data")
	want.TLS = TLSConfig{CA: filepath.Join(dir, "tls/ca.crt"), Cert: "/etc/n1.crt", Key: filepath.Join(dir, "tls/n1.key")}
	want.Raft.Listen, want.GRPC.Listen = "192.0.2.1:7946", "192.0.2.1:7947"
	want.Gossip.KeyFile = filepath.Join(dir, "tls/gossip.key")
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("loadConfig (-want +got):\n%s", diff)
	}
}

func TestLoadConfigValues(t *testing.T) {
	got, err := loadConfig(writeConfig(t, strings.Replace(minimalConfig, "[grpc]", "heartbeat = \"700ms\"\nlease = \"500ms\"\n[epp]\nlisten = \"\"\n[dns]\nlisten = []\n[grpc]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if time.Duration(got.Raft.Heartbeat) != 700*time.Millisecond || time.Duration(got.Raft.Lease) != 500*time.Millisecond {
		t.Errorf("timeouts = %v, %v", got.Raft.Heartbeat, got.Raft.Lease)
	}
	if got.EPP.Listen != "" || len(got.DNS.Listen) != 0 {
		t.Errorf("services that were switched off listen on %q and %q", got.EPP.Listen, got.DNS.Listen)
	}
}

func TestLoadConfigRefusals(t *testing.T) {
	replace := func(old, by string) string { return strings.Replace(minimalConfig, old, by, 1) }
	for name, test := range map[string]struct{ content, want string }{
		"unknown key":          {replace("listen = \"192.0.2.1:7946\"", "lisen = \"x\""), `:9: unknown key "raft.lisen"`},
		"unknown section":      {minimalConfig + "\n[whoami]\nx = 1\n", `unknown key "whoami"`},
		"wrong type":           {replace(`node_id = "n1"`, `node_id = 7`), ":2:"},
		"broken document":      {replace(`node_id = "n1"`, `node_id = `), ":2:"},
		"missing id":           {replace(`node_id = "n1"`, ``), `key "node_id" is required`},
		"missing certificate":  {replace(`cert = "/etc/n1.crt"`, ``), `key "tls.cert" is required`},
		"no port":              {replace(`192.0.2.1:7946`, `192.0.2.1`), `key "raft.listen": "192.0.2.1" is not host:port`},
		"not reachable":        {replace(`192.0.2.1:7946`, `0.0.0.0:7946`), `key "raft.advertise" is required`},
		"no host":              {replace(`192.0.2.1:7947`, `:7947`), `key "grpc.advertise" is required`},
		"no gossip key":        {replace(`key_file = "tls/gossip.key"`, ``), `key "gossip.key_file" is required`},
		"bad duration":         {replace("[grpc]", "heartbeat = \"soon\"\n[grpc]"), `"soon" is not a duration`},
		"lease over heartbeat": {replace("[grpc]", "heartbeat = \"1s\"\nlease = \"2s\"\n[grpc]"), `key "raft.lease" must not be above`},
		"log level":            {minimalConfig + "\n[log]\nlevel = \"loud\"\n", `key "log.level": "loud"`},
		"log format":           {minimalConfig + "\n[log]\nformat = \"xml\"\n", `key "log.format": "xml"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadConfig(writeConfig(t, test.content))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("loadConfig: %v, want %q", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), "node.toml") {
				t.Errorf("the error does not name the file: %v", err)
			}
		})
	}
}

// TestConfigRoundTrip proves that what `cadastre dev` writes can be read.
func TestConfigRoundTrip(t *testing.T) {
	want, err := loadConfig(writeConfig(t, minimalConfig))
	if err != nil {
		t.Fatal(err)
	}
	content, err := toml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := loadConfig(writeConfig(t, string(content)))
	if err != nil {
		t.Fatalf("%v\n%s", err, content)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
}
