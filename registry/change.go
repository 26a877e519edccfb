package registry

// ChangeState says which of the two messages about a change one is: that with the object as
// it was, or that with the object as it became (RFC 8590 section 2.2). Stored.
type ChangeState uint8

// The states.
const (
	ChangeBefore ChangeState = 1
	ChangeAfter  ChangeState = 2
)

// String returns the state as RFC 8590 has it.
func (s ChangeState) String() string {
	if s == ChangeBefore {
		return "before"
	}
	return "after"
}

// ChangeOperation is what the registry did to an object, in the words of RFC 8590 section
// 2.1. Stored.
type ChangeOperation string

// ChangeUpdate is the operation by which statuses are set and removed.
const ChangeUpdate ChangeOperation = "update"

// Types of cases (RFC 8590 section 3.1.2).
const (
	CaseUDRP   = "udrp"
	CaseURS    = "urs"
	CaseCustom = "custom"
)

// Case is the dispute or request on which an operator acts. The zero value is none.
type Case struct {
	Type string // CaseUDRP, CaseURS or CaseCustom
	Name string // says what kind of custom case it is
	ID   string
}

// Change is what a registrar is told about a change that was not its own (RFC 8590).
type Change struct {
	State     ChangeState
	Operation ChangeOperation
	Who       string // the operator
	Case      Case
	Reason    string
}
