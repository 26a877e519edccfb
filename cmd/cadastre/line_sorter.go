package main

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

const (
	// sortRunOctets is what is sorted in memory before it goes to a file. Sixteen million records make some 30 files.
	sortRunOctets = 64 << 20
	// sortLineOctets is what an entry takes besides its text.
	sortLineOctets = 64
)

// lineSorter sorts more lines than fit into memory, by keys.
type lineSorter struct {
	dir    string // for runs; "": that of the system
	run    int    // octets of a run; 0: sortRunOctets
	lines  []sortedLine
	octets int
	runs   []*os.File
}

type sortedLine struct {
	key  []byte
	line string
}

func (s *lineSorter) add(key []byte, line string) error {
	s.lines = append(s.lines, sortedLine{key, line})
	s.octets += len(key) + len(line) + sortLineOctets
	if s.octets < cmp.Or(s.run, sortRunOctets) {
		return nil
	}
	return s.spill()
}

func (s *lineSorter) sort() {
	slices.SortFunc(s.lines, func(a, b sortedLine) int { return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.line, b.line)) })
}

// spill writes what is in memory to a run: key and line, each with its length before it.
func (s *lineSorter) spill() error {
	s.sort()
	f, err := os.CreateTemp(s.dir, ".sort-*")
	if err != nil {
		return fmt.Errorf("sort the zone: %w", err)
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriterSize(f, 1<<16)
	for _, l := range s.lines {
		head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(len(l.key))), uint32(len(l.line)))
		_, err = w.Write(head)
		if err == nil {
			_, err = w.Write(l.key)
		}
		if err == nil {
			_, err = w.WriteString(l.line)
		}
		if err != nil {
			return fmt.Errorf("sort the zone: %w", err)
		}
	}
	s.lines, s.octets = s.lines[:0], 0
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sort the zone: %w", err)
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// each calls fn for every line in order, with its key.
func (s *lineSorter) each(fn func(key []byte, line string) error) error {
	s.sort()
	merge := &runHeap{}
	for _, f := range s.runs {
		if err := merge.open(&sortedRun{r: bufio.NewReaderSize(f, 1<<16)}); err != nil {
			return err
		}
	}
	if err := merge.open(&sortedRun{memory: s.lines}); err != nil {
		return err
	}
	for merge.Len() > 0 {
		run := (*merge)[0]
		if err := fn(run.key, run.line); err != nil {
			return err
		}
		more, err := run.next()
		if err != nil {
			return err
		}
		if more {
			heap.Fix(merge, 0)
		} else {
			heap.Pop(merge)
		}
	}
	return nil
}

// remove removes the runs.
func (s *lineSorter) remove() {
	for _, f := range s.runs {
		_ = f.Close() // only read
		_ = os.Remove(f.Name())
	}
}

// sortedRun is a sorted sequence, in a file or in memory.
type sortedRun struct {
	sortedLine
	r      *bufio.Reader
	memory []sortedLine
}

// next goes on to the next line; false at the end.
func (r *sortedRun) next() (bool, error) {
	if r.r == nil {
		if len(r.memory) == 0 {
			return false, nil
		}
		r.sortedLine, r.memory = r.memory[0], r.memory[1:]
		return true, nil
	}
	var head [8]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, fmt.Errorf("sort the zone: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	both := make([]byte, n+binary.BigEndian.Uint32(head[4:]))
	if _, err := io.ReadFull(r.r, both); err != nil {
		return false, fmt.Errorf("sort the zone: %w", err)
	}
	r.key, r.line = both[:n:n], string(both[n:])
	return true, nil
}

// runHeap has the run with the least line first.
type runHeap []*sortedRun

// open takes in a run that has not begun.
func (h *runHeap) open(run *sortedRun) error {
	more, err := run.next()
	if more {
		heap.Push(h, run)
	}
	return err
}

func (h *runHeap) Len() int           { return len(*h) }
func (h *runHeap) Less(i, j int) bool { return bytes.Compare((*h)[i].key, (*h)[j].key) < 0 }
func (h *runHeap) Swap(i, j int)      { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }

// Push implements heap.Interface.
func (h *runHeap) Push(x any) { *h = append(*h, x.(*sortedRun)) }

// Pop implements heap.Interface.
func (h *runHeap) Pop() any {
	last := (*h)[h.Len()-1]
	*h = (*h)[:h.Len()-1]
	return last
}
