package eppxml

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzDecode(f *testing.F) {
	for _, r := range sampleRequests() {
		f.Add(AppendRequest(nil, r))
	}
	for _, s := range handWritten {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		req, err := Decode(frame)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Reason == "" || e.Kind == 0 || e.Offset < -1 || e.Offset > len(frame) {
				t.Fatalf("incomplete error %#v", err)
			}
			return
		}
		again, err := Decode(AppendRequest(nil, req))
		if err != nil {
			// Writing may add declarations and references, and so cross a bound that the original kept.
			if len(frame) > 4096 {
				return
			}
			t.Fatalf("what the encoder made of it is refused: %v\n%s", err, AppendRequest(nil, req))
		}
		if diff := cmp.Diff(req, again, sameRequest); diff != "" {
			t.Fatalf("differs after encoding and decoding (-first +second):\n%s", diff)
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x05x"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x08ab"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		const most = 256
		payload, err := ReadFrame(bytes.NewReader(in), most)
		if err != nil {
			return
		}
		if len(payload) < 1 || len(payload) > most {
			t.Fatalf("payload of %d bytes", len(payload))
		}
		var out bytes.Buffer
		if err := WriteFrame(&out, payload); err != nil || !bytes.HasPrefix(in, out.Bytes()) {
			t.Fatalf("written frame differs from what was read: %v", err)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	for _, doc := range sampleResponses() {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if r, err := ParseResponse(frame); err == nil {
			if len(r.Results) == 0 || r.Code() < minCode || r.Code() > maxCode || r.SvTRID == "" {
				t.Fatalf("incomplete response %#v", r)
			}
		}
		if g, err := ParseGreeting(frame); err == nil && (len(g.ObjURIs) == 0 || g.Date.IsZero() && bytes.IndexByte(frame, '1') < 0) {
			t.Fatalf("incomplete greeting %#v", g)
		}
	})
}
