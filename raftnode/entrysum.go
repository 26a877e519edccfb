package raftnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/hashicorp/raft"
)

// A stored entry carries a trailer in its Extensions, behind whatever raft or the network
// put there: four octets of mark, of which the last is the version, and the CRC-32C of the
// entry, big endian.
const (
	sumMark  = "\xcaLS\x01"
	sumBytes = len(sumMark) + 4
)

// errDamagedEntry is the cause of all errors about stored entries that are not what was
// written.
var errDamagedEntry = errors.New("the stored entry is damaged")

// sealed returns a copy of the entry with its trailer. The original is raft's.
func sealed(entry *raft.Log) raft.Log {
	stored := *entry
	stored.Extensions = make([]byte, 0, len(entry.Extensions)+sumBytes)
	stored.Extensions = append(stored.Extensions, entry.Extensions...)
	stored.Extensions = append(stored.Extensions, sumMark...)
	stored.Extensions = binary.BigEndian.AppendUint32(stored.Extensions, entrySum(entry))
	return stored
}

// unseal checks an entry that was stored at index and takes its trailer off. Entries that
// older programs wrote have none, which is allowed below sealedFrom only.
func unseal(entry *raft.Log, index, sealedFrom uint64) error {
	if entry.Index != index {
		return fmt.Errorf("%w: it says that it is entry %d", errDamagedEntry, entry.Index)
	}
	at := len(entry.Extensions) - sumBytes
	if at < 0 || string(entry.Extensions[at:at+len(sumMark)]) != sumMark {
		if index >= sealedFrom {
			return fmt.Errorf("%w: its checksum is missing", errDamagedEntry)
		}
		return nil
	}
	sum := binary.BigEndian.Uint32(entry.Extensions[at+len(sumMark):])
	entry.Extensions = entry.Extensions[:at:at]
	if at == 0 {
		entry.Extensions = nil
	}
	if sum != entrySum(entry) {
		return fmt.Errorf("%w: its checksum does not match", errDamagedEntry)
	}
	return nil
}

// entrySum covers all that the replication depends on.
func entrySum(entry *raft.Log) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // the package keeps this one ready
	var head [25]byte
	binary.BigEndian.PutUint64(head[0:], entry.Index)
	binary.BigEndian.PutUint64(head[8:], entry.Term)
	head[16] = byte(entry.Type)
	binary.BigEndian.PutUint64(head[17:], uint64(len(entry.Data)))
	sum := crc32.Update(0, table, head[:])
	sum = crc32.Update(sum, table, entry.Data)
	return crc32.Update(sum, table, entry.Extensions)
}
