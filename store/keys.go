package store

import "encoding/binary"

// table is the first octet of every key. The numbers are on disk and append-only; all
// tables but tableLocal are part of the state hash.
type table byte

const (
	tableLocal        table = 0x01 // bookkeeping of this node
	tableMeta         table = 0x10 // cluster id, clock, counters
	tableNode         table = 0x11
	tableJoinToken    table = 0x12
	tableRequest      table = 0x13 // request id → result; below registry.LevelLeanRows, as the next
	tableRequestByAge table = 0x14
	tableRegistrar    table = 0x20
	tableTLD          table = 0x21
	tableContact      table = 0x22
	tableHost         table = 0x23
	tableDomain       table = 0x24
	tableROID         table = 0x25 // ROID → kind and key; below registry.LevelLeanRows
	tableContactUse   table = 0x30 // contact → domains that name it
	tableHostUse      table = 0x31 // host → domains delegated to it
	tableSubordinate  table = 0x32 // domain → hosts below it
	tableDue          table = 0x33 // time → domain with something due
	tableDueContact   table = 0x34 // time → contact with something due
	tableHistory      table = 0x40
	tableNameROID     table = 0x41 // kind, name, index → ROID of an object that got the name then
	tableLedger       table = 0x50
	tableLedgerByAcct table = 0x51
	tableBalance      table = 0x52
	tableAddGrace     table = 0x53 // registrar, TLD, month → adds and deletions in the add grace period
	tableDirty        table = 0x60 // names whose publication is outdated; above registry.LevelLeanRows in memory only
	tableZone         table = 0x61 // published owners
	tableZoneState    table = 0x62 // serial of each published zone
	tableJournal      table = 0x63 // publications by number
	tablePollMessage  table = 0x70 // registrar, number → message
	tablePollQueue    table = 0x71 // registrar → count and first message
	tableZoneKey      table = 0xA4 // zone, id → public half of a key and its state
	tableOrg          table = 0x88
	tableOrgUse       table = 0x89 // organisation, role → objects that it is linked to
	tableOrgContact   table = 0x8a // contact → organisations that name it
)

// Failed attempts at authorisation information.
const (
	tableAuthFailure      table = 0x90 // registrar, ROID → wrong attempts at authorisation information
	tableAuthFailureByAge table = 0x91
)

// Work that ticks carry on, and lists of labels.
const (
	tableTask        table = 0x8c // kind, subject → how far work that ticks carry on has come
	tableMovedHosts  table = 0x8d // purged domain → its hosts that live on under a sacrificial name
	tablePremium     table = 0x8e // TLD, label → premium name
	tableReserved    table = 0x8f // TLD, reserved label
	tableRemovedNode table = 0x94 // node id → when it was removed
	tableRevocation  table = 0x95 // operator, fingerprint or nothing → when it was revoked
)

// Internationalised names and maintenance.
const (
	tableVariant     table = 0x80 // TLD, variant key → internationalised domain names
	tableMaintenance table = 0x81
	tableDueMaint    table = 0x82 // time → maintenance with something due
)

// Launches and allocation tokens.
const (
	tableApplication         table = 0x84 // identifier → application in the launch of a TLD
	tableApplicationName     table = 0x85 // name → applications for it
	tableAllocationToken     table = 0x86 // SHA-256 → allocation token
	tableAllocationTokenName table = 0x87 // name → SHA-256 of the tokens for it
)

// Rows for a whole entry.
const (
	tableResults    table = 0x9c // entry → results of its requests
	tableDirtyEntry table = 0x9d // entry → names whose publication is outdated since
)

// lastTable bounds the replicated tables: the state hash is made of all rows up to it.
const lastTable table = 0xEF

// separator ends a variable-length key part; no name or id contains it.
const separator = 0x00

// key is a growing key.
type key []byte

// usualKeyOctets is as long as nearly every key; longer ones grow.
const usualKeyOctets = 96

func (t table) key() key { return append(make(key, 0, usualKeyOctets), byte(t)) }

func (k key) str(s string) key    { return append(append(k, s...), separator) }
func (k key) tail(s string) key   { return append(k, s...) }
func (k key) bytes(b []byte) key  { return append(k, b...) }
func (k key) uint(v uint64) key   { return binary.BigEndian.AppendUint64(k, v) }
func (k key) uint32(v uint32) key { return binary.BigEndian.AppendUint32(k, v) }

// prefixEnd returns the first key after all keys that begin with prefix.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		end[i]++
		if end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
