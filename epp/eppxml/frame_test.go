package eppxml

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// countingWriter counts calls of Write.
type countingWriter struct {
	bytes.Buffer
	calls int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.calls++
	return w.Buffer.Write(p)
}

func TestFrameRoundTrip(t *testing.T) {
	var w countingWriter
	payloads := []string{"x", helloBody, strings.Repeat("y", 1000)}
	for _, p := range payloads {
		if err := WriteFrame(&w, []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if w.calls != len(payloads) {
		t.Errorf("%d writes for %d frames", w.calls, len(payloads))
	}
	for _, want := range payloads {
		got, err := ReadFrame(&w, 1000)
		if err != nil || string(got) != want {
			t.Errorf("ReadFrame = %d bytes, %v; want %d bytes", len(got), err, len(want))
		}
	}
	if _, err := ReadFrame(&w, 1000); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
}

func TestReadFrameRefuses(t *testing.T) {
	tests := []struct {
		name, in string
		length   uint64
		err      error
	}{
		{"length zero", "\x00\x00\x00\x00", 0, nil},
		{"length below the header", "\x00\x00\x00\x03", 3, nil},
		{"header only", "\x00\x00\x00\x04", 4, nil},
		{"one too many", "\x00\x00\x00\x0f" + strings.Repeat("x", 11), 15, nil},
		{"four gigabytes", "\xff\xff\xff\xff", 1<<32 - 1, nil},
		{"text protocol", "GET / HTTP/1.1", 0x47455420, nil},
		{"cut header", "\x00\x00", 0, io.ErrUnexpectedEOF},
		{"cut payload", "\x00\x00\x00\x08ab", 0, io.ErrUnexpectedEOF},
		{"no payload", "\x00\x00\x00\x08", 0, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		_, err := ReadFrame(strings.NewReader(tt.in), 10)
		if tt.err != nil {
			if !errors.Is(err, tt.err) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
			}
			continue
		}
		var fe *FrameError
		if !errors.As(err, &fe) || fe.Length != tt.length {
			t.Errorf("%s: %v, want a *FrameError with length %d", tt.name, err, tt.length)
		}
	}
	if err := WriteFrame(io.Discard, nil); err == nil {
		t.Error("WriteFrame accepts an empty payload")
	}
}

func TestReadFrameAllocatesNothingForALie(t *testing.T) {
	in := strings.NewReader("\xff\xff\xff\xff")
	allocs := testing.AllocsPerRun(100, func() {
		in.Reset("\xff\xff\xff\xff")
		if _, err := ReadFrame(in, MaxFrame); err == nil {
			t.Fatal("accepted")
		}
	})
	if allocs > 2 { // the header and the error
		t.Errorf("%v allocations", allocs)
	}
}
