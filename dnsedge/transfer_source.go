package dnsedge

import (
	"context"
	"errors"
)

// ErrNoZone says that a zone is not published here.
var ErrNoZone = errors.New("the zone is not published here")

// TransferSource opens whole zones for transfers.
type TransferSource interface {
	// Snapshot calls fn with one state of a zone, or returns ErrNoZone. The context of fn ends when that state can be
	// kept no longer.
	Snapshot(ctx context.Context, tld string, fn func(ctx context.Context, z Snapshot) error) error
}

// Snapshot is one state of a zone. RRs are complete records in uncompressed wire format, one after another.
type Snapshot interface {
	// Serial is the serial of the SOA.
	Serial() uint32
	// Apex returns the records at the apex.
	Apex() []byte
	// EachOwner calls fn for the records of every owner name, those of the denial chain included, and returns its
	// first error.
	EachOwner(fn func(rrs []byte) error) error
	// Changes calls fn for each change since a serial, in order, and returns its first error. It returns false if the
	// journal does not reach back to the serial.
	Changes(from uint32, fn func(Change) error) (reaches bool, err error)
}

// Change is what one publication did to one owner.
type Change struct {
	Key           string // one for each owner, of whatever form
	Before, After []byte
}
