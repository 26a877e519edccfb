package epp

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rfcCodes are all result codes of RFC 5730 section 3.
func rfcCodes() []int {
	return []int{
		1000, 1001, 1300, 1301, 1500, 2000, 2001, 2002, 2003, 2004, 2005, 2100, 2101, 2102, 2103, 2104, 2105, 2106,
		2200, 2201, 2202, 2300, 2301, 2302, 2303, 2304, 2305, 2306, 2307, 2308, 2400, 2500, 2501, 2502,
	}
}

// notInScripts says of the codes that no script of testdata produces why, and what shows them
// instead: the name of a test, or nothing where the server never gives the code.
func notInScripts() map[int]struct{ reason, test string } {
	return map[int]struct{ reason, test string }{
		2101: {"every command of RFC 5730 is implemented; on an object whose schema lacks it, such as the transfer of a host, it is a syntax error", ""},
		2308: {"no rule of the registry is one of data management; what policy refuses is a value and gets 2306", ""},
		2400: {"a fault of the server, or a rate that is too high: a script has neither", "TestAnOverloadedClusterKeepsTheSession"},
		2500: {"the server stops or has no leader: a script has neither", "TestNoLeaderEndsTheSession"},
		2502: {"limits of sessions and of commands in a session; a script has one session of few commands", "TestSessionsAreLimited"},
	}
}

// TestEveryResultCodeIsShown requires each code of the RFC to be produced by a script, or by
// the test that is named here, or to be explained.
func TestEveryResultCodeIsShown(t *testing.T) {
	seen := scriptedCodes(t)
	tests := testNames(t)
	explained := notInScripts()
	for _, code := range rfcCodes() {
		why, isExplained := explained[code]
		switch {
		case seen[code] > 0 && isExplained:
			t.Logf("%d is produced by %d answers of the scripts; it needs no explanation any more", code, seen[code])
		case seen[code] == 0 && !isExplained:
			t.Errorf("no script produces %d, and nothing says why", code)
		case isExplained && why.test != "" && !strings.Contains(tests, "func "+why.test+"("):
			t.Errorf("%d is said to be shown by %s, which does not exist", code, why.test)
		}
		t.Logf("%d %q: %d answers in scripts %s", code, message(code), seen[code], why.reason)
	}
	for code := range seen {
		if !slices.Contains(rfcCodes(), code) {
			t.Errorf("a script expects %d, which RFC 5730 does not have", code)
		}
	}
}

// scriptedCodes counts the result codes that the scripts expect.
func scriptedCodes(t *testing.T) map[int]int {
	t.Helper()
	pattern := regexp.MustCompile(`<result code="(\d{4})">`)
	seen := map[int]int{}
	err := filepath.WalkDir("testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".txtar" {
			return err
		}
		data, err := os.ReadFile(path)
		for _, found := range pattern.FindAllStringSubmatch(string(data), -1) {
			code, _ := strconv.Atoi(found[1]) // four digits
			seen[code]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// testNames is the text of all tests of the package.
func testNames(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}
