package store

import (
	"strings"
	"time"

	"cadastre/registry"
)

// TaskKind says what work ticks carry on. Stored and append-only.
type TaskKind byte

// The kinds.
const (
	TaskAddGraceMonths TaskKind = 1 // takes old months out of tableAddGrace
	TaskRepublish      TaskKind = 2 // has all of a TLD's zone computed anew
	TaskHostReturn     TaskKind = 3 // gives a host under a sacrificial domain its former name
	// The daily walks over what is done with.
	TaskOldApplications TaskKind = 61
	TaskOldTokens       TaskKind = 62
)

// Task is work that is too much for one entry; its subject tells tasks of a kind apart and
// its cursor how far it has come.
type Task struct {
	Subject, Cursor string
}

func taskKey(kind TaskKind, subject string) key {
	return tableTask.key().bytes([]byte{byte(kind)}).tail(subject)
}

// Task returns how far the task has come, and whether there is one.
func (tx *ReadTx) Task(kind TaskKind, subject string) (cursor string, found bool) {
	value, found := tx.get(taskKey(kind, subject))
	return string(value), found
}

// FirstTask returns the first task of the kind, by subject.
func (tx *ReadTx) FirstTask(kind TaskKind) (first Task, found bool) {
	tx.scan(taskKey(kind, ""), nil, func(rest, value []byte) bool {
		first, found = Task{Subject: string(rest), Cursor: string(value)}, true
		return false
	})
	return first, found
}

// HasWork says whether there is a task that the next tick carries on.
func (tx *ReadTx) HasWork() bool {
	for _, kind := range []TaskKind{TaskRepublish, TaskHostReturn} {
		if _, found := tx.FirstTask(kind); found {
			return true
		}
	}
	if tx.FeatureLevel() < registry.LevelRetention {
		return false
	}
	return tx.HasWalk(TaskOldApplications, tx.Now()) || tx.HasWalk(TaskOldTokens, tx.Now())
}

// PutTask begins a task or notes how far it has come.
func (tx *Tx) PutTask(kind TaskKind, subject, cursor string) {
	tx.set(taskKey(kind, subject), []byte(cursor))
}

// EndTask forgets a task.
func (tx *Tx) EndTask(kind TaskKind, subject string) { tx.del(taskKey(kind, subject)) }

// PublishedAfter returns up to limit owners of the zone after the given one, by name.
func (tx *ReadTx) PublishedAfter(tld registry.DomainName, after string, limit int) []registry.DomainName {
	var owners []registry.DomainName
	prefix := tableZone.key().str(string(tld))
	var start key
	if after != "" {
		start = append(tableZone.key().str(string(tld)).tail(after), 0)
	}
	tx.scan(prefix, start, func(rest, _ []byte) bool {
		owners = append(owners, registry.DomainName(rest))
		return len(owners) < limit
	})
	return owners
}

// IsDirty says whether what is published at owner may be outdated.
func (tx *ReadTx) IsDirty(tld, owner registry.DomainName) bool {
	return tx.has(tableDirty.key().str(string(tld)).tail(string(owner)))
}

// PurgeAddGraceMonths removes what was counted for the limit of refunds in months before the
// last one. It looks at each row once in a month, and at up to limit of them at a time.
func (tx *Tx) PurgeAddGraceMonths(now time.Time, limit int) {
	month := now.UTC().Format(monthLayout)
	state, _ := tx.Task(TaskAddGraceMonths, "")
	begun, cursor, underway := strings.Cut(state, "/")
	if begun == month && !underway {
		return
	}
	if begun != month {
		cursor = ""
	}
	first := time.Date(now.UTC().Year(), now.UTC().Month()-1, 1, 0, 0, 0, 0, time.UTC).Format(monthLayout)
	seen, last := 0, ""
	tx.scan(tableAddGrace.key(), tableAddGrace.key().tail(cursor), func(rest, _ []byte) bool {
		if seen == limit {
			return false
		}
		seen++
		last = string(rest)
		if len(rest) < len(monthLayout) {
			corrupt("add grace month", errRow)
		}
		if string(rest[len(rest)-len(monthLayout):]) < first {
			tx.del(tableAddGrace.key().tail(last))
		}
		return true
	})
	if seen == limit {
		month += "/" + last + "\x00" // the first key after it
	}
	tx.PutTask(TaskAddGraceMonths, "", month)
}
