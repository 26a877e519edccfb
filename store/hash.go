package store

import (
	"crypto/sha256"
	"encoding/binary"
)

// StateHash is a multiset hash of the replicated rows: the lane-wise sum modulo 2^64 of
// SHA-256 over every key and value. Adding and removing a row are both one addition, and
// the order of writes does not matter, so equal states have equal hashes.
type StateHash [4]uint64

// Bytes returns the 32-octet form that Ticks carry.
func (h StateHash) Bytes() []byte {
	out := make([]byte, 0, 32)
	for _, lane := range h {
		out = binary.BigEndian.AppendUint64(out, lane)
	}
	return out
}

func stateHashFromBytes(b []byte) StateHash {
	var h StateHash
	for i := range h {
		h[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return h
}

func (h *StateHash) add(key string, value []byte) {
	row := hashRow(key, value)
	for i := range h {
		h[i] += row[i]
	}
}

func (h *StateHash) remove(key string, value []byte) {
	row := hashRow(key, value)
	for i := range h {
		h[i] -= row[i]
	}
}

// hashRow hashes one row; the key's length goes first so that no two rows run together.
func hashRow(key string, value []byte) StateHash {
	var scratch [shortRowOctets]byte
	buf := binary.BigEndian.AppendUint32(scratch[:0], uint32(len(key)))
	buf = append(buf, key...)
	if len(buf)+len(value) <= len(scratch) {
		sum := sha256.Sum256(append(buf, value...))
		return stateHashFromBytes(sum[:])
	}
	digest := sha256.New() // rather than a copy of a row of a whole entry
	_, _ = digest.Write(buf)
	_, _ = digest.Write(value) // neither can fail
	return stateHashFromBytes(digest.Sum(scratch[:0]))
}

// shortRowOctets is up to how long a row is hashed at once.
const shortRowOctets = 1024
