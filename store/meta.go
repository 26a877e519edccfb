package store

import (
	"time"

	"cadastre/registry"
)

// hashWindowEntries is how many entries back a node knows its state hash, so that a Tick
// that was delayed by a slow network can still be compared.
const hashWindowEntries = 8192

// Names of the single rows in tableLocal and tableMeta.
const (
	localFormat        = "format"
	localApplied       = "applied"
	localConfiguration = "configuration"
	localHash          = "hash"
	localHashAt        = "hash-at/"

	metaClusterID = "cluster"
	metaClock     = "clock"
	metaNow       = "now"
	metaLeaderNow = "leader-now"
	metaLevel     = "feature-level"
	metaTrust     = "trust"
)

// Position is where in the log the current command stands.
type Position struct {
	Index, Term uint64
	InEntry     uint32
}

// checkFormat refuses a state that this program cannot go on with. The format version of a
// state is its feature level, so that programs from before there were levels, which look
// for format version 1, refuse what they cannot read too.
func (tx *ReadTx) checkFormat() error {
	value, ok := tx.get(tableLocal.key().tail(localFormat))
	if !ok {
		return nil // new and empty; the first entry writes it
	}
	return registry.CheckFeatureLevel(uint32(decodeUint("format", value)))
}

// FeatureLevel returns the level of the state, at least 1.
func (tx *ReadTx) FeatureLevel() uint32 {
	value, ok := tx.get(tableMeta.key().tail(metaLevel))
	if !ok {
		return 1
	}
	return uint32(decodeUint(metaLevel, value))
}

// SetFeatureLevel raises the level of the state.
func (tx *Tx) SetFeatureLevel(level uint32) {
	tx.set(tableMeta.key().tail(metaLevel), uintRow(uint64(level)))
}

// Applied returns the index and term of the last entry applied, zeros for an empty state.
func (tx *ReadTx) Applied() (index, term uint64) {
	value, ok := tx.get(tableLocal.key().tail(localApplied))
	if !ok {
		return 0, 0
	}
	decodeRow("applied index", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				index = d.val
			case 2:
				term = d.val
			default:
				d.unknown()
			}
		}
	})
	return index, term
}

// BeginEntry starts the entry at the given index.
func (tx *Tx) BeginEntry(index, term uint64) {
	tx.at = Position{Index: index, Term: term}
	level := tx.FeatureLevel()
	tx.lean, tx.packs = level >= registry.LevelLeanRows, level >= registry.LevelPackedRows
}

// BeginCommand starts the command at the given place of the entry.
func (tx *Tx) BeginCommand(inEntry uint32) { tx.at.InEntry = inEntry }

// At returns where in the log the current command stands.
func (tx *Tx) At() Position { return tx.at }

// EndEntry records that everything up to the current entry is applied, with its state hash.
func (tx *Tx) EndEntry() {
	tx.writeResults()
	tx.Keep()
	tx.writePacked()
	tx.foldDirty()
	tx.Keep()
	tx.foldHash()
	var e encoder
	e.uint(1, tx.at.Index)
	e.uint(2, tx.at.Term)
	tx.set(tableLocal.key().tail(localApplied), e.b)
	tx.set(tableLocal.key().tail(localFormat), uintRow(uint64(tx.FeatureLevel())))
	tx.set(tableLocal.key().tail(localHashAt).uint(tx.at.Index), tx.hash.Bytes())
	if tx.at.Index > hashWindowEntries {
		tx.del(tableLocal.key().tail(localHashAt).uint(tx.at.Index - hashWindowEntries))
	}
	tx.Keep()
}

// SetRaftConfiguration records the cluster's Raft configuration as of the current entry.
func (tx *Tx) SetRaftConfiguration(data []byte) {
	tx.set(tableLocal.key().tail(localConfiguration), append(uintRow(tx.at.Index), data...))
}

// RaftConfiguration returns the Raft configuration and the index of its entry, zero if
// none was applied.
func (tx *ReadTx) RaftConfiguration() (index uint64, data []byte) {
	value, ok := tx.get(tableLocal.key().tail(localConfiguration))
	if !ok {
		return 0, nil
	}
	if len(value) < 8 {
		corrupt("raft configuration", errRow)
	}
	return decodeUint("raft configuration", value[:8]), value[8:]
}

func (tx *Tx) writeHash() {
	tx.foldHash()
	tx.memory.put(&stagedWrite{key: string(tableLocal.key().tail(localHash)), value: tx.hash.Bytes()})
}

func (tx *ReadTx) storedHash() StateHash {
	value, ok := tx.get(tableLocal.key().tail(localHash))
	if !ok {
		return StateHash{}
	}
	if len(value) != 32 {
		corrupt("state hash", errRow)
	}
	return stateHashFromBytes(value)
}

// StateHash returns the hash of the replicated state as of the applied index.
func (tx *ReadTx) StateHash() []byte { return tx.storedHash().Bytes() }

// StateHashAt returns the hash as of an earlier index, if that is still known.
func (tx *ReadTx) StateHashAt(index uint64) ([]byte, bool) {
	return tx.get(tableLocal.key().tail(localHashAt).uint(index))
}

// VerifyStateHash recomputes the hash from every row and returns it; a full scan.
func (tx *ReadTx) VerifyStateHash() []byte {
	var h StateHash
	for t := tableMeta; t <= lastTable; t++ {
		prefix := t.key()
		tx.scan(prefix, nil, func(rest, value []byte) bool {
			h.add(string(append(t.key(), rest...)), value)
			return true
		})
	}
	return h.Bytes()
}

// ClusterID returns the id given by the cluster's first command, "" before it.
func (tx *ReadTx) ClusterID() string {
	value, _ := tx.get(tableMeta.key().tail(metaClusterID))
	return string(value)
}

// SetClusterID records the cluster's id.
func (tx *Tx) SetClusterID(id string) { tx.set(tableMeta.key().tail(metaClusterID), []byte(id)) }

// ClockMode returns where registry time comes from.
func (tx *ReadTx) ClockMode() registry.ClockMode {
	value, ok := tx.get(tableMeta.key().tail(metaClock))
	if !ok || len(value) != 1 {
		return registry.ClockSystem
	}
	return registry.ClockMode(value[0])
}

// SetClockMode records where registry time comes from.
func (tx *Tx) SetClockMode(mode registry.ClockMode) {
	tx.set(tableMeta.key().tail(metaClock), []byte{byte(mode)})
}

// Now returns registry time as of the applied state, UTC, in whole milliseconds.
func (tx *ReadTx) Now() time.Time { return tx.instant(metaNow) }

// SetNow moves registry time.
func (tx *Tx) SetNow(t time.Time) { tx.setInstant(metaNow, t) }

// LeaderNow returns the highest time that a leader has stamped. It differs from Now only
// under a manual clock, and serves waits that concern machines rather than registrations.
func (tx *ReadTx) LeaderNow() time.Time { return tx.instant(metaLeaderNow) }

// SetLeaderNow moves the leaders' time.
func (tx *Tx) SetLeaderNow(t time.Time) { tx.setInstant(metaLeaderNow, t) }

func (tx *ReadTx) instant(name string) time.Time {
	value, ok := tx.get(tableMeta.key().tail(name))
	if !ok {
		return time.Time{}
	}
	return time.UnixMilli(int64(decodeUint(name, value))).UTC()
}

func (tx *Tx) setInstant(name string, t time.Time) {
	tx.set(tableMeta.key().tail(name), uintRow(uint64(t.UnixMilli())))
}

// nextNumber returns the next value of a named counter, beginning with 1.
func (tx *Tx) nextNumber(counter string) uint64 {
	k := tableMeta.key().tail("counter/").tail(counter)
	var n uint64
	if value, ok := tx.get(k); ok {
		n = decodeUint(counter, value)
	}
	n++
	tx.set(k, uintRow(n))
	return n
}
