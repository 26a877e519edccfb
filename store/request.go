package store

import (
	"fmt"
	"time"
)

// RequestID names a request across retries: the node that accepted it, when that node was
// started, and a number that it gives to each.
type RequestID struct {
	Origin  string
	Epoch   uint64
	Counter uint64
}

// keptResult is a result of the entry that is being applied.
type keptResult struct {
	id     RequestID
	result []byte
}

// Result returns the kept result of the request, if it was applied within the window.
func (tx *ReadTx) Result(id RequestID) ([]byte, bool) {
	index, ok := tx.requests.entryOf(id)
	if !ok {
		return tx.get(oldRequestKey(tableRequest.key(), id))
	}
	row, _ := tx.get(tableResults.key().uint(index)) // absent if the view is not as new as the index
	for _, kept := range decodeResults(row).results {
		if kept.id == id {
			return kept.result, true
		}
	}
	return nil, false
}

// Result is ReadTx.Result while entries are applied; it also sees results of the current entry.
func (tx *Tx) Result(id RequestID) ([]byte, bool) {
	index, ok := tx.requests.entryOf(id)
	if !ok && !tx.memory.oldResults {
		return nil, false
	}
	if ok && index == tx.at.Index {
		for i := range tx.results {
			if tx.results[i].id == id {
				return tx.results[i].result, true
			}
		}
	}
	result, found := tx.ReadTx.Result(id)
	if ok && !found {
		corrupt("results of an entry", errRow)
	}
	return result, found
}

// PutResult keeps the result of a request of the current entry, for which Result found
// none; at is the leaders' time of the entry, by which it is purged later.
func (tx *Tx) PutResult(id RequestID, result []byte, at time.Time) {
	if !tx.lean {
		tx.insert(oldRequestKey(tableRequest.key(), id), result)
		tx.insert(oldRequestKey(tableRequestByAge.key().uint(uint64(at.UnixMilli())), id), nil)
		tx.memory.oldResults = true
		return
	}
	tx.results = append(tx.results, keptResult{id: id, result: result})
	tx.resultsAt = at
	tx.requests.add(id, tx.at.Index)
}

// oldRequestKey appends a request id as it is in keys below registry.LevelLeanRows.
func oldRequestKey(k key, id RequestID) key {
	return fmt.Appendf(k, "%s\x00%016x%016x", id.Origin, id.Epoch, id.Counter)
}

// writeResults writes what the entry's commands answered as one row: thousands of rows a
// second that live for a quarter of an hour would cost more than the commands themselves.
func (tx *Tx) writeResults() {
	if len(tx.results) == 0 {
		return
	}
	tx.insert(tableResults.key().uint(tx.at.Index), encodeResults(&entryResults{at: tx.resultsAt, results: tx.results}))
	clear(tx.results)
	tx.results = tx.results[:0]
}

// PurgeResults removes results that were kept before the given time, about limit of them,
// and returns how many. The command that does it cannot be refused any more.
func (tx *Tx) PurgeResults(before time.Time, limit int) (purged int) {
	if tx.memory.oldResults {
		purged = tx.purgeOldResults(before, limit)
	}
	var indexes []uint64
	tx.scan(tableResults.key(), tableResults.key().uint(tx.requests.oldest), func(rest, value []byte) bool {
		entry := decodeResults(value)
		if purged >= limit || !entry.at.Before(before) {
			return false
		}
		for i := range entry.results {
			tx.requests.drop(entry.results[i].id)
		}
		purged += len(entry.results)
		indexes = append(indexes, decodeUint("results of an entry", rest))
		return true
	})
	for _, index := range indexes {
		tx.del(tableResults.key().uint(index))
		tx.requests.oldest = index + 1
	}
	return purged
}

// purgeOldResults does it for the rows from below registry.LevelLeanRows.
func (tx *Tx) purgeOldResults(before time.Time, limit int) int {
	var ages [][]byte
	bound := uint64(before.UnixMilli())
	isEmpty := true
	tx.scan(tableRequestByAge.key(), nil, func(rest, _ []byte) bool {
		if len(rest) < 8 {
			corrupt("request age", errRow)
		}
		isEmpty = false
		if decodeUint("request age", rest[:8]) >= bound {
			return false
		}
		ages = append(ages, rest)
		return len(ages) < limit
	})
	for _, rest := range ages {
		tx.del(tableRequestByAge.key().bytes(rest))
		tx.del(tableRequest.key().bytes(rest[8:]))
	}
	tx.memory.oldResults = !isEmpty
	return len(ages)
}

// entryResults is a row of tableResults: what the commands of one entry answered.
type entryResults struct {
	at      time.Time
	results []keptResult
}

func encodeResults(r *entryResults) []byte {
	octets := usualRowOctets
	for i := range r.results {
		octets += len(r.results[i].result) + 16
	}
	e := encoder{b: make([]byte, 0, octets)}
	e.time(1, r.at)
	type origin struct {
		node  string
		epoch uint64
	}
	var origins []origin
	for i := range r.results {
		id := &r.results[i].id
		from, ordinal := origin{id.Origin, id.Epoch}, 0
		for ordinal < len(origins) && origins[ordinal] != from {
			ordinal++
		}
		if ordinal == len(origins) {
			origins = append(origins, from)
			e.msg(2, func(e *encoder) { e.str(1, from.node); e.uint(2, from.epoch) })
		}
		e.msg(3, func(e *encoder) { e.uint(1, uint64(ordinal)); e.uint(2, id.Counter); e.bytes(3, r.results[i].result) })
	}
	return e.b
}

func decodeResults(value []byte) *entryResults {
	r := &entryResults{}
	var origins []RequestID
	decodeRow("results of an entry", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				r.at = d.time()
			case 2:
				origins = append(origins, d.requestOrigin())
			case 3:
				r.results = append(r.results, d.keptResult(origins))
			default:
				d.unknown()
			}
		}
	})
	return r
}

func (d *decoder) requestOrigin() RequestID {
	var id RequestID
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				id.Origin = d.str()
			case 2:
				id.Epoch = d.val
			default:
				d.unknown()
			}
		}
	})
	return id
}

func (d *decoder) keptResult(origins []RequestID) keptResult {
	var kept keptResult
	var ordinal, counter uint64
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				ordinal = d.val
			case 2:
				counter = d.val
			case 3:
				kept.result = d.bytes()
			default:
				d.unknown()
			}
		}
		if ordinal >= uint64(len(origins)) {
			d.unknown()
			return
		}
		kept.id = origins[ordinal]
		kept.id.Counter = counter
	})
	return kept
}
