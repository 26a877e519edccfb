package raftnode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// A durable variable of raft, such as the term or the vote, is kept twice: under its name
// and, with a checksum, under its name behind stableCopyPrefix. A damaged term or vote that
// was believed could make a second leader of one term, so what is not the same in both
// places is never used. The copy is written first: a crash between the two leaves a copy that
// is ahead by one write, whose earlier value it holds as well.
const stableCopyPrefix = "Checked/"

// errDamagedVariable is the cause of errors about durable variables that are not what was
// written.
var errDamagedVariable = errors.New("a stored variable of raft is damaged")

// encodeStableCopy packs the value and the one that it replaces: a mark of the version, the
// length of the value in four octets, the value, the previous value and the CRC-32C over the
// key and all of it.
func encodeStableCopy(key, value, previous []byte) []byte {
	packed := append([]byte{stableCopyVersion}, binary.BigEndian.AppendUint32(nil, uint32(len(value)))...)
	packed = append(append(packed, value...), previous...)
	return binary.BigEndian.AppendUint32(packed, stableSum(key, packed))
}

const (
	stableCopyVersion = 1
	stableHeadBytes   = 5
	stableSumBytes    = 4
)

func stableSum(key, packed []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(key, table), table, packed)
}

func decodeStableCopy(key, packed []byte) (value, previous []byte, err error) {
	end := len(packed) - stableSumBytes
	if end < stableHeadBytes || packed[0] != stableCopyVersion || binary.BigEndian.Uint32(packed[end:]) != stableSum(key, packed[:end]) {
		return nil, nil, fmt.Errorf("%w: the checksum does not match", errDamagedVariable)
	}
	size := uint64(binary.BigEndian.Uint32(packed[1:stableHeadBytes]))
	if size > uint64(end-stableHeadBytes) {
		return nil, nil, fmt.Errorf("%w: its length is wrong", errDamagedVariable)
	}
	return packed[stableHeadBytes : stableHeadBytes+size], packed[stableHeadBytes+size : end], nil
}

func stableCopyKey(key []byte) []byte { return append([]byte(stableCopyPrefix), key...) }

// readVariable reads a variable and compares it with its copy. One that an older program
// wrote has none, which is allowed as long as the log has no mark that all have.
func (l *logStore) readVariable(key []byte) (value []byte, err error) {
	value, err = l.rawVariable(key)
	missing := errors.Is(err, raftboltdb.ErrKeyNotFound)
	if err != nil && !missing {
		return nil, err
	}
	packed, copyErr := l.rawVariable(stableCopyKey(key))
	if errors.Is(copyErr, raftboltdb.ErrKeyNotFound) {
		if !missing && l.isStableChecked {
			return nil, l.variableDamage(key, fmt.Errorf("%w: its checked copy is missing", errDamagedVariable))
		}
		return value, err
	}
	if copyErr != nil {
		return nil, copyErr
	}
	latest, previous, copyErr := decodeStableCopy(key, packed)
	switch {
	case copyErr != nil:
		return nil, l.variableDamage(key, copyErr)
	case !missing && bytes.Equal(value, latest), missing && len(previous) == 0:
		return value, err
	case !missing && bytes.Equal(value, previous):
		return value, nil // the second write was cut off
	}
	return nil, l.variableDamage(key, fmt.Errorf("%w: it differs from its checked copy", errDamagedVariable))
}

func (l *logStore) rawVariable(key []byte) (value []byte, err error) {
	err = guardPages(func() error {
		value, err = l.bolt.Get(key)
		return err
	})
	return value, err
}

func (l *logStore) variableDamage(key []byte, err error) error {
	return fmt.Errorf("raft's %s in %s: %w; rebuild the node from its peers with `cadastre node rebuild`", key, l.path, err)
}

// writeVariable stores a variable, its copy first.
func (l *logStore) writeVariable(key, value []byte) error {
	previous, err := l.readVariable(key)
	if err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return err
	}
	return l.dog.guard("save raft's "+string(key), logWriteBound, func() error {
		if err := l.bolt.Set(stableCopyKey(key), encodeStableCopy(key, value, previous)); err != nil {
			return err
		}
		if err := l.bolt.Set(key, value); err != nil || len(previous) > 0 {
			return err
		}
		// The first value replaces nothing: without this its loss would look like such a crash.
		return l.bolt.Set(stableCopyKey(key), encodeStableCopy(key, value, value))
	})
}

// stableCheckedKey marks a log in which every variable has its copy.
const stableCheckedKey = "VariablesChecked"

// raftVariables are the names of raft's durable variables.
func raftVariables() []string { return []string{currentTermKey, "LastVoteTerm", "LastVoteCand"} }

// loadStable makes the copies in a log of an older program, and then checks every variable.
func (l *logStore) loadStable() error {
	_, err := l.rawVariable([]byte(stableCheckedKey))
	l.isStableChecked = err == nil
	if err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return fmt.Errorf("read %s of the log %s: %w", stableCheckedKey, l.path, err)
	}
	if err := l.checkVariables(); err != nil || l.isStableChecked {
		return err
	}
	for _, name := range raftVariables() {
		value, err := l.rawVariable([]byte(name))
		if errors.Is(err, raftboltdb.ErrKeyNotFound) {
			continue
		}
		if err == nil {
			err = l.writeVariable([]byte(name), value)
		}
		if err != nil {
			return err
		}
	}
	if err := l.dog.guard("mark the log", logWriteBound, func() error { return l.bolt.Set([]byte(stableCheckedKey), []byte{stableCopyVersion}) }); err != nil {
		return err
	}
	l.isStableChecked = true
	return nil
}

// checkVariables reads every variable of raft.
func (l *logStore) checkVariables() error {
	for _, name := range raftVariables() {
		if _, err := l.readVariable([]byte(name)); err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
			return err
		}
	}
	return nil
}
