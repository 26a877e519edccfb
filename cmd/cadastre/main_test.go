package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"cadastre/internal/devcluster"
)

func TestMain(m *testing.M) {
	testscript.Main(cleaningM{m}, map[string]func(){
		"cadastre": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// cleaningM removes the built program after the tests.
type cleaningM struct{ *testing.M }

func (m cleaningM) Run() int {
	defer func() { _ = os.RemoveAll(binaryDir()) }() // a temporary folder
	return m.M.Run()
}

// binaryDir is where the program is built for the tests that need real processes.
func binaryDir() string { return filepath.Join(os.TempDir(), "cadastre-test-"+pid()) }

var buildOnce = sync.OnceValues(func() (string, error) {
	if err := os.MkdirAll(binaryDir(), 0o700); err != nil {
		return "", err
	}
	return devcluster.Build(context.Background(), binaryDir())
})

// program returns the built program, once for all tests.
func program(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a cluster of processes; not with -short")
	}
	binary, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true})
}

func pid() string { return strconv.Itoa(os.Getpid()) }
