// Package idn holds the rules of internationalised labels: their syntax (RFC 5890 to RFC
// 5893), the tables of code points that a registry offers for a language or script, and
// which labels are variants of each other (RFC 6927). All of it is pure.
package idn

// Error says which rule a label or a table breaks.
type Error struct {
	// Policy says that the label is well-formed but not offered, rather than wrong for all.
	Policy bool
	Reason string // a sentence without a full stop
}

// Error returns the reason.
func (e *Error) Error() string { return e.Reason }
