package store

import "time"

// Result returns the kept result of the request, if it was applied within the window.
func (tx *ReadTx) Result(requestKey []byte) ([]byte, bool) {
	return tx.get(tableRequest.key().bytes(requestKey))
}

// PutResult keeps the result of a request; at is the leaders' time, by which the row is
// purged later.
func (tx *Tx) PutResult(requestKey, result []byte, at time.Time) {
	tx.insert(tableRequest.key().bytes(requestKey), result)
	tx.insert(tableRequestByAge.key().uint(uint64(at.UnixMilli())).bytes(requestKey), nil)
}

// PurgeResults removes up to limit results kept before the given time and returns how many.
func (tx *Tx) PurgeResults(before time.Time, limit int) int {
	var ages [][]byte
	bound := uint64(before.UnixMilli())
	tx.scan(tableRequestByAge.key(), nil, func(rest, _ []byte) bool {
		if len(rest) < 8 {
			corrupt("request age", errRow)
		}
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
	return len(ages)
}

// OldestResultAt returns when the oldest kept result was made.
func (tx *ReadTx) OldestResultAt() (time.Time, bool) {
	var at time.Time
	found := false
	tx.scan(tableRequestByAge.key(), nil, func(rest, _ []byte) bool {
		if len(rest) < 8 {
			corrupt("request age", errRow)
		}
		at, found = time.UnixMilli(int64(decodeUint("request age", rest[:8]))).UTC(), true
		return false
	})
	return at, found
}
