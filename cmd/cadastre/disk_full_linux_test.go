package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cadastre/cmd/cadastre/internal/devtest"
)

// TestFullDisk runs a node on a small file system that is filled from outside: commands are
// turned away before it is full and taken again when there is room; on a disk that is full
// to the brim it does not start and says why, and comes back with all that it acknowledged.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can mount a small file system")
	}
	c := devtest.Start(t, program(t), "--nodes", "1", "--replicas", "0")
	c.MustCLI("epp", "create", "host", "ns1.host.invalid")
	if code := c.Stop(); code != exitOK {
		t.Fatalf("stopping ended with %d", code)
	}
	data := filepath.Join(c.Dir, "n1", "data")
	mountSmall(t, data, 256<<20)
	setLowWater(t, filepath.Join(c.Dir, "n1", "node.toml"), 64)
	c.Run()
	c.MustCLI("epp", "create", "domain", "before.example", "--ns", "ns1.host.invalid")

	filler := filepath.Join(data, "filler")
	leave := func(free uint64) {
		t.Helper()
		var fs unix.Statfs_t
		if err := unix.Statfs(data, &fs); err != nil {
			t.Fatal(err)
		}
		appendZeros(t, filler, int64(fs.Bavail*uint64(fs.Bsize))-int64(free))
	}
	leave(40 << 20)
	c.Eventually(10*time.Second, "a node that is not ready", func() error {
		return readyzSays(c.Node("n1").Metrics, "low-water mark is 64 MiB")
	})
	asked := time.Now()
	if r := c.CLI("epp", "create", "domain", "low.example", "--ns", "ns1.host.invalid"); r.Code == exitOK || !strings.Contains(r.Stdout+r.Stderr, "send the command again later") {
		t.Errorf("a command with a low disk: %s%s", r.Stdout, r.Stderr)
	}
	if took := time.Since(asked); took > 5*time.Second {
		t.Errorf("the refusal took %s", took)
	}
	if body := fetch(t, c.Node("n1").Metrics); !strings.Contains(body, `cadastre_proposals_refused_total{reason="disk_low"}`) ||
		strings.Contains(body, `cadastre_proposals_refused_total{reason="disk_low"} 0`) || !strings.Contains(body, "cadastre_disk_low 1") {
		t.Error("the metrics do not show the refusals")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	c.Eventually(10*time.Second, "a command taken again", func() error {
		if r := c.CLI("epp", "create", "domain", "again.example", "--ns", "ns1.host.invalid"); r.Code != exitOK {
			return errors.New(r.Stderr)
		}
		return nil
	})

	// Filled to the brim it writes nothing by itself and goes on answering; but it cannot
	// be started, because a start must write.
	leave(0)
	c.Eventually(10*time.Second, "a node that is not ready", func() error {
		return readyzSays(c.Node("n1").Metrics, "0 MiB are free")
	})
	waitReferral(t, c, "n1", "again.example")
	c.KillNode("n1")
	waitGone(t, c, "n1")
	r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n1")
	log, err := os.ReadFile(filepath.Join(c.Dir, "n1", "log"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Code == exitOK || !strings.Contains(string(log), "no space left on device") {
		t.Errorf("start on a full disk: status %d %s; the log:\n%s", r.Code, r.Stderr, log)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n1"); r.Code != exitOK {
		t.Fatalf("start after space was freed: %d %s", r.Code, r.Stderr)
	}
	for _, name := range []string{"before.example", "again.example"} {
		if out := c.MustCLI("epp", "info", "domain", name); !strings.Contains(out, "clID: registrar-a") {
			t.Errorf("%s after the full disk: %s", name, out)
		}
	}
	c.MustCLI("epp", "create", "domain", "after.example", "--ns", "ns1.host.invalid")
}

// mountSmall puts a file system of the size under the folder, with what is in it.
func mountSmall(t *testing.T, dir string, bytes int) {
	t.Helper()
	aside := dir + ".aside"
	if err := os.Rename(dir, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		t.Skipf("SKIPPED: no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	if err := os.CopyFS(dir, os.DirFS(aside)); err != nil {
		t.Fatal(err)
	}
}

// setLowWater changes the mark in a node's configuration file.
func setLowWater(t *testing.T, path string, mib int) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(content), "low_water_mb = 0", fmt.Sprintf("low_water_mb = %d", mib), 1)
	if changed == string(content) {
		t.Fatalf("%s has no low_water_mb:\n%s", path, content)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// appendZeros makes the file longer, until the disk is full if need be.
func appendZeros(t *testing.T, path string, bytes int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 64<<10)
	for bytes > 0 && err == nil {
		var n int
		n, err = f.Write(zeros[:min(bytes, int64(len(zeros)))])
		bytes -= int64(n)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil && !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func readyzSays(metricsURL, what string) error {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(strings.TrimSuffix(metricsURL, "/metrics") + "/readyz")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && !strings.Contains(string(body), what) {
		err = fmt.Errorf("readyz says %s", body)
	}
	return err
}
