package store

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// inspectCacheBytes suffices for a few reads or a scan in key order.
const inspectCacheBytes = 8 << 20

// InspectCheckpoint runs fn over the checkpoint in dir without changing any of its files. A
// storage fault inside fn comes back as a *Fault error.
func InspectCheckpoint(dir string, fn func(tx *ReadTx) error) (err error) {
	cache := pebble.NewCache(inspectCacheBytes)
	defer cache.Unref()
	opts := &pebble.Options{
		Cache: cache, ReadOnly: true, FormatMajorVersion: pebble.FormatNewest, MemTableSize: memTableBytes,
		Logger: quietLogger{faults: &faultReporter{}},
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBitsPerKey)
	}
	db, err := pebble.Open(dir, opts)
	if err != nil {
		return fmt.Errorf("open the checkpoint in %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx := newReadTx(db)
	tx.dirty = newDirtyNames()
	return catchFault(func() error {
		if err := tx.checkFormat(); err != nil {
			return err
		}
		return fn(tx)
	})
}
