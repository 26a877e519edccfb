package epp

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync/atomic"

	"cadastre/fsm/fsmpb"
)

// maxTRIDNode is how much of a node's id fits: 64 characters less two dots and two numbers
// of up to 13 base-36 digits (RFC 5730 section 4, trIDStringType).
const maxTRIDNode = 36

// trids makes server transaction identifiers (svTRID). Those of transforms come from the
// place of the command in the replicated log and hold hyphens; those of all else come from
// the node, its run and a counter and hold dots, so that the two kinds never meet.
type trids struct {
	prefix  string
	counter atomic.Uint64
}

func newTRIDs(nodeID string, bootEpoch uint64) *trids {
	if len(nodeID) > maxTRIDNode {
		sum := sha256.Sum256([]byte(nodeID))
		nodeID = hex.EncodeToString(sum[:maxTRIDNode/2])
	}
	return &trids{prefix: nodeID + "." + strconv.FormatUint(bootEpoch, 36) + "."}
}

// next returns an identifier for an exchange that left no trace in the log.
func (t *trids) next() string { return t.prefix + strconv.FormatUint(t.counter.Add(1), 36) }

// logTRID returns the identifier of an applied command: term, index and place in the entry.
func logTRID(r *fsmpb.Result) string {
	return placeTRID(r.GetTerm(), r.GetIndex(), r.GetPosition())
}

func placeTRID(term, index uint64, position uint32) string {
	return fmt.Sprintf("%d-%d-%d", term, index, position)
}
