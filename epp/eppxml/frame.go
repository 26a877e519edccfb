package eppxml

import (
	"encoding/binary"
	"fmt"
	"io"
)

// headerBytes is the length of the header that precedes each frame; the length in it includes the header itself
// (RFC 5734 section 4).
const headerBytes = 4

// FrameError is returned by ReadFrame when a header announces a length that is not accepted, and by WriteFrame when a
// payload does not fit a header. Nothing sensible can be read from the stream after it.
type FrameError struct {
	// Length is the announced total length in bytes, header included.
	Length uint64
	// Max is the largest total length that is accepted.
	Max uint64
}

// Error implements error.
func (e *FrameError) Error() string {
	return fmt.Sprintf("frame length %d is not between %d and %d bytes", e.Length, headerBytes+1, e.Max)
}

// ReadFrame reads one frame and returns its payload, of 1 to maxBytes bytes. The length is checked before memory is taken.
// It returns io.EOF if the stream ends before a frame begins, and io.ErrUnexpectedEOF if it ends within one.
func ReadFrame(r io.Reader, maxBytes int) ([]byte, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	total, most := uint64(binary.BigEndian.Uint32(header[:])), uint64(max(maxBytes, 0))+headerBytes
	if total <= headerBytes || total > most {
		return nil, &FrameError{Length: total, Max: most}
	}
	payload := make([]byte, total-headerBytes)
	if _, err := io.ReadFull(r, payload); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return payload, nil
}

// WriteFrame writes the header and the payload, which must not be empty, in one call of Write.
func WriteFrame(w io.Writer, payload []byte) error {
	total := uint64(len(payload)) + headerBytes
	if len(payload) == 0 || total > 1<<32-1 {
		return &FrameError{Length: total, Max: 1<<32 - 1}
	}
	buf := make([]byte, headerBytes, total)
	binary.BigEndian.PutUint32(buf, uint32(total))
	_, err := w.Write(append(buf, payload...))
	return err
}
