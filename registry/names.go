package registry

import (
	"strings"
)

// Bounds of names and identifiers.
const (
	MaxNameOctets  = 253 // presentation form of a 255-octet wire name (RFC 1035 section 2.3.4)
	MaxLabelOctets = 63  // RFC 1035 section 2.3.4
	MaxNameLabels  = 16  // deeper host names have no use under a TLD and only cost index space

	MinClientIDChars = 3  // clIDType of eppcom-1.0 (RFC 5730 section 4)
	MaxClientIDChars = 16 // clIDType of eppcom-1.0
)

// DomainName is a fully qualified DNS name in canonical form: lower-case A-labels
// separated by dots, without a trailing dot, at most MaxNameOctets long.
type DomainName string

// ParseDomainName returns the canonical form of s, which may use upper case and one
// trailing dot. The error is a *Error of code CodeParameterSyntax that says which rule of
// RFC 1035 section 2.3 (letters, digits, hyphen; 1 to 63 octets a label) s breaks.
func ParseDomainName(s string) (DomainName, error) {
	name := strings.TrimSuffix(s, ".")
	if name == "" {
		return "", nameError(s, "the name is empty")
	}
	if len(name) > MaxNameOctets {
		return "", nameError(s[:32]+"…", "the name is longer than 253 octets (RFC 1035 section 2.3.4)")
	}
	labels := 0
	for rest := name; ; {
		label, tail, more := strings.Cut(rest, ".")
		if reason := checkLabel(label); reason != "" {
			return "", nameError(s, reason)
		}
		labels++
		if !more {
			break
		}
		rest = tail
	}
	if labels > MaxNameLabels {
		return "", nameError(s, "the name has more than 16 labels")
	}
	return DomainName(strings.ToLower(name)), nil
}

func nameError(value, reason string) error {
	return &Error{Code: CodeParameterSyntax, Field: "name", Value: value, Reason: reason}
}

// checkLabel returns the rule that the label breaks, or an empty string.
func checkLabel(label string) string {
	if label == "" {
		return "a label is empty (RFC 1035 section 2.3.1)"
	}
	if len(label) > MaxLabelOctets {
		return "a label is longer than 63 octets (RFC 1035 section 2.3.4)"
	}
	for i := range len(label) {
		if !isLDH(label[i]) {
			return "a label holds a character other than a letter, a digit or a hyphen (RFC 1123 section 2.1)"
		}
	}
	if label[0] == '-' || label[len(label)-1] == '-' {
		return "a label begins or ends with a hyphen (RFC 1035 section 2.3.1)"
	}
	return ""
}

func isLDH(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}

// Parent returns the name without its first label, or "" for a single label.
func (n DomainName) Parent() DomainName {
	_, parent, _ := strings.Cut(string(n), ".")
	return DomainName(parent)
}

// FirstLabel returns the leftmost label.
func (n DomainName) FirstLabel() string {
	label, _, _ := strings.Cut(string(n), ".")
	return label
}

// Labels returns how many labels the name has.
func (n DomainName) Labels() int {
	if n == "" {
		return 0
	}
	return strings.Count(string(n), ".") + 1
}

// IsBelow says whether n is a proper descendant of ancestor.
func (n DomainName) IsBelow(ancestor DomainName) bool {
	head, ok := strings.CutSuffix(string(n), string(ancestor))
	return ok && len(head) > 1 && head[len(head)-1] == '.' && ancestor != ""
}

// AncestorWithLabels returns the last count labels of n, or "" if n has fewer.
func (n DomainName) AncestorWithLabels(count int) DomainName {
	have := n.Labels()
	if have < count || count <= 0 {
		return ""
	}
	for ; have > count; have-- {
		n = n.Parent()
	}
	return n
}

// ROID is a repository object identifier (RFC 5730 section 2.8): it names one object for
// ever, also after another object has taken over its name.
type ROID string

// RegistrarID identifies a registrar; it is the clID of EPP.
type RegistrarID string

// ParseRegistrarID checks s against clIDType of eppcom-1.0 narrowed to characters that are
// safe in certificates, file names and logs: letters, digits, hyphen and underscore.
func ParseRegistrarID(s string) (RegistrarID, error) {
	if !isClientID(s) {
		return "", &Error{Code: CodeParameterSyntax, Field: "clID", Value: s,
			Reason: "a registrar id is 3 to 16 letters, digits, hyphens or underscores"}
	}
	return RegistrarID(s), nil
}

// ContactID identifies a contact. Its key is case-insensitive, so that two contacts never
// differ by case alone; it is shown as its creator wrote it.
type ContactID string

// ParseContactID checks s against clIDType of eppcom-1.0: 3 to 16 characters; only
// printable ASCII without spaces is allowed.
func ParseContactID(s string) (ContactID, error) {
	bad := &Error{Code: CodeParameterSyntax, Field: "id", Value: s,
		Reason: "a contact id is 3 to 16 printable ASCII characters without spaces"}
	if len(s) < MinClientIDChars || len(s) > MaxClientIDChars {
		return "", bad
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return "", bad
		}
	}
	return ContactID(s), nil
}

// Key returns the form of the id that is unique in the registry.
func (id ContactID) Key() string { return strings.ToLower(string(id)) }

func isClientID(s string) bool {
	if len(s) < MinClientIDChars || len(s) > MaxClientIDChars {
		return false
	}
	for i := range len(s) {
		if !isLDH(s[i]) && s[i] != '_' {
			return false
		}
	}
	return true
}
