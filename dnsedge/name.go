package dnsedge

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

const (
	maxNameOctets  = 255 // RFC 1035 §2.3.4, with the root octet
	maxLabelOctets = 63  // RFC 1035 §2.3.4
	maxLabels      = 127 // what fits into maxNameOctets
)

var errBadName = errors.New("malformed domain name in wire format")

// wireName encodes a name such as "demo-1.example" (no trailing dot, no escapes) in lower-case wire format with the
// final root octet.
func wireName(name string) ([]byte, error) {
	if name == "" {
		return nil, errors.New("empty domain name: an owner lies at or below a TLD")
	}
	wire := make([]byte, 0, len(name)+2)
	for label := range strings.SplitSeq(name, ".") {
		if len(label) == 0 || len(label) > maxLabelOctets {
			return nil, fmt.Errorf("domain name %q: a label has 1 to %d octets (RFC 1035 section 2.3.4)", name, maxLabelOctets)
		}
		wire = append(wire, byte(len(label)))
		for i := range len(label) {
			if label[i] == '\\' {
				return nil, fmt.Errorf("domain name %q: escapes are not allowed in owner names", name)
			}
			wire = append(wire, lower(label[i]))
		}
	}
	wire = append(wire, 0)
	if len(wire) > maxNameOctets {
		return nil, fmt.Errorf("domain name %q: longer than %d octets (RFC 1035 section 2.3.4)", name, maxNameOctets)
	}
	return wire, nil
}

// lower maps an ASCII capital to its small letter and leaves every other octet (RFC 4343).
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// nameLen measures the uncompressed name at the start of b, root octet included.
func nameLen(b []byte) (int, error) {
	for n := 0; n < len(b) && n < maxNameOctets; {
		c := int(b[n])
		if c == 0 {
			return n + 1, nil
		}
		if c > maxLabelOctets {
			return 0, errBadName
		}
		n += 1 + c
	}
	return 0, errBadName
}

// foldName makes a wire name lower-case in place; length octets are below 'A'.
func foldName(wire []byte) {
	for i, c := range wire {
		wire[i] = lower(c)
	}
}

// equalFold compares names in wire format without regard to ASCII case. Length octets are below 'A', so folding
// whole names is safe.
func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// below reports how many octets of the lower-case wire name lie below the ancestor (0 when they are equal), and
// whether it is an ancestor or the same name at all.
func below(name, ancestor []byte) (int, bool) {
	n := 0
	for len(name)-n > len(ancestor) {
		n += 1 + int(name[n])
	}
	if n > len(name) || !bytes.Equal(name[n:], ancestor) {
		return 0, false
	}
	return n, true
}

// countLabels counts the labels of a valid wire name or of a relative one without root octet.
func countLabels(wire []byte) int {
	n := 0
	for off := 0; off < len(wire) && wire[off] != 0; off += 1 + int(wire[off]) {
		n++
	}
	return n
}
