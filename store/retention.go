package store

import (
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Fields of a policy that say how long what is done with is kept.
const (
	fieldPolicyKeepApplications protowire.Number = 210
	fieldPolicyKeepTokens       protowire.Number = 211
)

// dayLayout names a day (UTC) in the cursors of daily walks.
const dayLayout = "20060102"

// HasWalk says whether the daily walk of the kind is still to begin or to go on at now. A
// table without rows needs none.
func (tx *ReadTx) HasWalk(kind TaskKind, now time.Time) bool {
	table := map[TaskKind]table{TaskOldApplications: tableApplication, TaskOldTokens: tableAllocationToken}[kind]
	filled := false
	tx.scan(table.key(), nil, func(_, _ []byte) bool {
		filled = true
		return false
	})
	if !filled {
		return false
	}
	state, _ := tx.Task(kind, "")
	return state != now.UTC().Format(dayLayout)
}

// WalkApplications calls fn for up to limit applications of the walk of the day of now and notes
// how far it came. It says whether there are more.
func (tx *Tx) WalkApplications(now time.Time, limit int, fn func(*registry.Application)) (more bool) {
	return tx.walk(TaskOldApplications, tableApplication, now, limit, func(rest, value []byte) { fn(decodeApplication(string(rest), value)) })
}

// WalkAllocationTokens is WalkApplications for allocation tokens.
func (tx *Tx) WalkAllocationTokens(now time.Time, limit int, fn func(*registry.AllocationToken)) (more bool) {
	return tx.walk(TaskOldTokens, tableAllocationToken, now, limit, func(rest, value []byte) { fn(decodeAllocationToken(rest, value)) })
}

// walk looks at each row of the table once a day, and at up to limit of them at a time.
func (tx *Tx) walk(kind TaskKind, t table, now time.Time, limit int, fn func(rest, value []byte)) (more bool) {
	if !tx.HasWalk(kind, now) {
		return false
	}
	day := now.UTC().Format(dayLayout)
	state, _ := tx.Task(kind, "")
	begun, cursor, _ := strings.Cut(state, "/")
	if begun != day {
		cursor = ""
	}
	type row struct{ rest, value []byte }
	var rows []row // what fn writes is not to disturb the scan
	tx.scan(t.key(), t.key().tail(cursor), func(rest, value []byte) bool {
		if more = len(rows) == limit; more {
			return false
		}
		rows = append(rows, row{append([]byte(nil), rest...), append([]byte(nil), value...)})
		return true
	})
	for _, row := range rows {
		fn(row.rest, row.value)
	}
	if more {
		day += "/" + string(rows[len(rows)-1].rest) + "\x00" // the first key after it
	}
	tx.PutTask(kind, "", day)
	return more
}

// DeleteAllocationToken forgets a token.
func (tx *Tx) DeleteAllocationToken(t *registry.AllocationToken) {
	tx.del(tableAllocationToken.key().bytes(t.SHA256))
	if t.Name != "" {
		tx.del(tableAllocationTokenName.key().str(string(t.Name)).bytes(t.SHA256))
	}
}
