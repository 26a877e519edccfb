package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// IsDamage says whether an error of the store is about a file that does not hold what was
// written to it. Such a state is not repaired but replaced.
func IsDamage(err error) bool { return pebble.IsCorruptionError(err) }

// located puts the path of the damaged file, if there is one, in front of what is wrong
// with it.
func located(err error) error {
	info := pebble.ExtractDataCorruptionInfo(err)
	if info == nil || info.Path == "" || info.Details == nil {
		return err
	}
	return &damagedFile{path: info.Path, details: info.Details, err: err}
}

// damagedFile is an error of Pebble with its file named.
type damagedFile struct {
	path         string
	details, err error
}

// Error names the file and what is wrong with it.
func (d *damagedFile) Error() string {
	return fmt.Sprintf("the file %s is damaged: %v", d.path, d.details)
}

// Unwrap returns Pebble's own error.
func (d *damagedFile) Unwrap() error { return d.err }
