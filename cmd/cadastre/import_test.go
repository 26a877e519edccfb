package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
)

// zoneFile writes a zone of many delegations: a third to hosts elsewhere, a third with hosts of its own, a third to hosts
// of the one before; every tenth with a DS record.
func zoneFile(t testing.TB, delegations int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("example.\t900\tin\tsoa\ta.nic.example. hostmaster.nic.example. 7 1800 900 604800 300\nexample.\t900\tin\tns\ta.nic.example.\na.nic.example.\t900\tin\ta\t192.0.2.1\n")
	for i := range delegations {
		name := fmt.Sprintf("import-%06d.example.", i)
		servers := []string{fmt.Sprintf("ns1.hoster-%d.net.", i%50), fmt.Sprintf("ns2.hoster-%d.net.", i%50)}
		switch i % 3 {
		case 1:
			servers = []string{"ns1." + name, "ns2." + name}
			fmt.Fprintf(&b, "ns1.%s\t600\tin\ta\t198.41.0.%d\nns2.%s\t600\tin\taaaa\t2a00:1450::%x\n", name, i%250+1, name, i+1)
		case 2:
			servers = []string{fmt.Sprintf("ns1.import-%06d.example.", i-1), fmt.Sprintf("ns2.import-%06d.example.", i-1)}
		}
		for _, s := range servers {
			fmt.Fprintf(&b, "%s\t3600\tin\tns\t%s\n", name, s)
		}
		if i%10 == 0 {
			fmt.Fprintf(&b, "%s\t3600\tin\tds\t%d 13 2 %064x\n", name, i%65535+1, i)
		}
	}
	b.WriteString("example.\t900\tin\tsoa\ta.nic.example. hostmaster.nic.example. 7 1800 900 604800 300\n")
	path := filepath.Join(t.TempDir(), "import.zone")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// importable are the lines of a zone file that an import brings: those of delegations.
func importable(t testing.TB, path string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) == 5 && strings.Contains(fields[0], "import-") && strings.Contains("ns ds a aaaa", fields[3]) {
			out[fields[0]+" "+fields[3]+" "+fields[4]] = true
		}
	}
	return out
}

// TestImportZone imports a zone, is killed on the way, goes on, and finds in the exported zone what was in the file.
func TestImportZone(t *testing.T) {
	binary := program(t)
	c := devtest.Start(t, binary, "--nodes", "1")
	delegations := 10_000
	if n, err := strconv.Atoi(os.Getenv("CADASTRE_BENCH_IMPORT")); err == nil { // make bench-import
		delegations = n
	}
	patience := time.Minute + time.Duration(delegations)*20*time.Millisecond // some fifty a second, on a machine that does other things
	file := zoneFile(t, delegations)
	c.MustCLI("epp", "-r", "registrar-a", "create", "contact", "imp-1", "--name", "Import", "--city", "Bern", "--cc", "CH", "--email", "i@example.net")
	args := []string{"import", "zone", file, "--registrar", "registrar-a", "--registrant", "imp-1", "--dev", c.Dir}

	cut := exec.Command(binary, args...)
	if err := cut.Start(); err != nil {
		t.Fatal(err)
	}
	c.Eventually(60*time.Second, "a beginning", func() error {
		_, err := os.Stat(file + ".import")
		return err
	})
	_ = cut.Process.Kill()
	_ = cut.Wait() // it was killed

	began := time.Now()
	var s importSummary
	if err := json.Unmarshal([]byte(c.MustCLIWithin(patience, "import", "zone", file, "--registrar", "registrar-a", "--registrant", "imp-1", "--json")), &s); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("%+v in %s, %.0f delegations a second", s, took.Round(time.Millisecond), float64(delegations)/took.Seconds())
	if s.Refused != 0 || s.Delegations != delegations || s.NotImported != 1 {
		t.Errorf("%+v", s)
	}
	if report, err := os.ReadFile(file + ".skipped"); err != nil || !strings.Contains(string(report), "nic.example\tthe name has no NS records") {
		t.Errorf("report %q, %v", report, err)
	}
	// Once more, without the memory of it: nothing changes.
	if err := os.Remove(file + ".import"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(c.MustCLIWithin(patience, "import", "zone", file, "--registrar", "registrar-a", "--registrant", "imp-1", "--json")), &s); err != nil {
		t.Fatal(err)
	}
	if s.Created != 0 || s.Refused != 0 {
		t.Errorf("the second time: %+v", s)
	}
	if r := c.CLI("import", "zone", file, "--registrar", "registrar-b"); r.Code == 0 || !strings.Contains(r.Stderr, "for another registrar") {
		t.Errorf("for another registrar: %d %s", r.Code, r.Stderr)
	}
	want := importable(t, file)
	exported := filepath.Join(t.TempDir(), "exported.zone")
	c.Eventually(time.Minute+time.Duration(delegations)*time.Millisecond, "the zone as it was in the file", func() error {
		c.MustCLIWithin(patience, "zone", "export", "example", "-o", exported)
		got := importable(t, exported)
		for line := range want {
			if !got[line] {
				return fmt.Errorf("%s is not there; %d lines of %d", line, len(got), len(want))
			}
		}
		if len(got) != len(want) {
			return fmt.Errorf("%d lines, want %d", len(got), len(want))
		}
		return nil
	})
	for _, command := range [][]string{
		{"named-checkzone", "-i", "local", "example", exported}, {"dnssec-verify", "-q", "-z", "-o", "example", exported}, {"ldns-verify-zone", "-V1", exported},
	} {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Logf("SKIPPED: %s is not installed (apt-get install bind9-utils ldnsutils)", command[0])
			continue
		}
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", command, err, out)
		}
	}
	if digest, err := os.ReadFile(exported + ".zonemd"); err != nil || !strings.HasPrefix(string(digest), "example.\t") || !strings.Contains(string(digest), " 1 1 ") {
		t.Errorf("the digest of the zone: %q, %v", digest, err)
	}
	if out := c.MustCLI("history", "import-000001.example"); !strings.Contains(out, "domain_import by operator") || !strings.Contains(out, "because: import") {
		t.Errorf("history:\n%s", out)
	}
}
