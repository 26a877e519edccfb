package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestLineSorter sorts lines in memory and through files, and compares with a sort of all at once.
func TestLineSorter(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		sorter := &lineSorter{dir: dir, run: rapid.SampledFrom([]int{1, 200, 1000, 1 << 20}).Draw(t, "run")}
		defer sorter.remove()
		lines := rapid.SliceOfN(rapid.StringN(0, 8, 40), 0, 60).Draw(t, "lines")
		var want []string              // keys
		texts := map[string][]string{} // by key: lines with the same key come in any order
		for i, line := range lines {
			key := rapid.SampledFrom([]string{"", "a", "a\x00", "b"}).Draw(t, "key") + line
			text := fmt.Sprintf("%s|%d", line, i)
			if err := sorter.add([]byte(key), text); err != nil {
				t.Fatal(err)
			}
			want, texts[key] = append(want, key), append(texts[key], text)
		}
		slices.Sort(want)
		at := 0
		err := sorter.each(func(_ []byte, line string) error {
			if at >= len(want) || !slices.Contains(texts[want[at]], line) {
				return fmt.Errorf("line %d is %q", at, line)
			}
			at++
			return nil
		})
		if err != nil || at != len(want) {
			t.Fatalf("%d of %d lines: %v", at, len(want), err)
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the sorter left %v behind, %v", left, err)
	}
}

// TestLineSorterFaults has the sorter fail where it cannot write, and stop where its caller does.
func TestLineSorterFaults(t *testing.T) {
	nowhere := &lineSorter{dir: t.TempDir() + "/absent", run: 1}
	if err := nowhere.add([]byte("k"), "line"); err == nil || !strings.Contains(err.Error(), "sort the zone") {
		t.Errorf("a run in a folder that is not there: %v", err)
	}
	sorter := &lineSorter{dir: t.TempDir(), run: 1}
	defer sorter.remove()
	for i := range 5 {
		if err := sorter.add([]byte{byte(5 - i)}, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	stop, count := errors.New("stop"), 0
	if err := sorter.each(func([]byte, string) error {
		if count++; count == 2 {
			return stop
		}
		return nil
	}); !errors.Is(err, stop) || count != 2 {
		t.Errorf("after %d lines: %v", count, err)
	}
}
