package zone

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"cadastre/registry"
)

// maxLineOctets bounds a line of a zone file; the longest record of a TLD's zone, a key or a signature, takes a tenth.
const maxLineOctets = 64 << 10

// Record is a record of a zone file. Only those of delegations are read to the end.
type Record struct {
	Line  int
	Owner registry.DomainName
	TTL   uint32
	Type  uint16
	// Of the type NS, A or AAAA, and DS; the others have none of it.
	Server  registry.DomainName
	Address netip.Addr
	DS      registry.DelegationSigner
}

// SyntaxError says where a zone file cannot be read.
type SyntaxError struct {
	Line   int
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Scanner reads a zone file in which every line holds one whole record with an absolute owner name, as Text writes it.
// What zone files may have beyond that is refused rather than guessed at: directives, relative names, owners left
// out and parentheses. Comments and empty lines are passed over.
type Scanner struct {
	lines *bufio.Scanner
	line  int
}

// NewScanner returns a scanner over a zone file.
func NewScanner(r io.Reader) *Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 4096), maxLineOctets)
	return &Scanner{lines: lines}
}

// Next returns the next record, io.EOF after the last, or a *SyntaxError.
func (s *Scanner) Next() (*Record, error) {
	for s.lines.Scan() {
		s.line++
		record, err := parseLine(s.lines.Text())
		if err != nil {
			return nil, &SyntaxError{Line: s.line, Reason: err.Error()}
		}
		if record != nil {
			record.Line = s.line
			return record, nil
		}
	}
	if errors.Is(s.lines.Err(), bufio.ErrTooLong) {
		return nil, &SyntaxError{Line: s.line + 1, Reason: fmt.Sprintf("it has more than %d octets", maxLineOctets)}
	}
	if err := s.lines.Err(); err != nil {
		return nil, fmt.Errorf("read the zone file after line %d: %w", s.line, err)
	}
	return nil, io.EOF
}

// parseLine returns nil for a line without a record.
func parseLine(line string) (*Record, error) {
	text, err := stripComment(line)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return nil, nil
	}
	switch {
	case fields[0][0] == '$':
		return nil, fmt.Errorf("the directive %s is not read here: write every record out, with its absolute name and TTL "+
			"(named-compilezone -s full does)", strings.ToUpper(fields[0]))
	case text[0] == ' ' || text[0] == '\t':
		return nil, errors.New("the owner name is left out: write it on every line")
	case fields[0] == "@" || !strings.HasSuffix(fields[0], "."):
		return nil, fmt.Errorf("the owner name %q is relative: write it with all labels and the last dot", fields[0])
	}
	record := &Record{Owner: registry.DomainName(strings.ToLower(strings.TrimSuffix(fields[0], ".")))}
	rest, err := record.parseHead(fields[1:])
	if err != nil {
		return nil, err
	}
	return record, record.parseData(rest)
}

// stripComment cuts a comment off, and refuses parentheses; neither counts inside quotes.
func stripComment(line string) (string, error) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ';':
			return line[:i], nil
		case c == '(' || c == ')':
			return "", errors.New("records over several lines are not read here: write each on one line")
		}
	}
	return line, nil
}

// parseHead reads TTL and class, in either order, and the type.
func (r *Record) parseHead(fields []string) (rest []string, err error) {
	haveTTL, haveClass := false, false
	for i, f := range fields {
		if ttl, err := strconv.ParseUint(f, 10, 31); err == nil && !haveTTL {
			r.TTL, haveTTL = uint32(ttl), true
			continue
		}
		if class, known := dns.StringToClass[strings.ToUpper(f)]; known && !haveClass {
			if class != dns.ClassINET {
				return nil, fmt.Errorf("the class %s is not IN", f)
			}
			haveClass = true
			continue
		}
		rrtype, known := dns.StringToType[strings.ToUpper(f)]
		if !known {
			return nil, fmt.Errorf("%q is no record type that is known here", f)
		}
		if !haveTTL {
			return nil, errors.New("the TTL is left out: write it on every line")
		}
		r.Type = rrtype
		return fields[i+1:], nil
	}
	return nil, errors.New("the record has no type")
}

func (r *Record) parseData(fields []string) error {
	want := map[uint16]int{dns.TypeNS: 1, dns.TypeA: 1, dns.TypeAAAA: 1}[r.Type]
	if want > 0 && len(fields) != want {
		return fmt.Errorf("a record of type %s has one value, here are %d", dns.TypeToString[r.Type], len(fields))
	}
	switch r.Type {
	case dns.TypeNS:
		if !strings.HasSuffix(fields[0], ".") {
			return fmt.Errorf("the name %q is relative: write it with all labels and the last dot", fields[0])
		}
		r.Server = registry.DomainName(strings.ToLower(strings.TrimSuffix(fields[0], ".")))
	case dns.TypeA, dns.TypeAAAA:
		addr, err := netip.ParseAddr(fields[0])
		if err != nil || addr.Zone() != "" || addr.Is4() != (r.Type == dns.TypeA) || addr.Is4In6() {
			return fmt.Errorf("%q is no address for a record of type %s", fields[0], dns.TypeToString[r.Type])
		}
		r.Address = addr
	case dns.TypeDS:
		return r.parseDS(fields)
	}
	return nil
}

func (r *Record) parseDS(fields []string) error {
	if len(fields) < 4 {
		return errors.New("a DS record has a key tag, an algorithm, a digest type and a digest")
	}
	var numbers [3]uint64
	for i, bits := range []int{16, 8, 8} {
		n, err := strconv.ParseUint(fields[i], 10, bits)
		if err != nil {
			return fmt.Errorf("%q is no number of a DS record", fields[i])
		}
		numbers[i] = n
	}
	digest, err := hex.DecodeString(strings.Join(fields[3:], ""))
	if err != nil {
		return errors.New("the digest of a DS record is not hexadecimal")
	}
	r.DS = registry.DelegationSigner{KeyTag: uint16(numbers[0]), Algorithm: uint8(numbers[1]), DigestType: uint8(numbers[2]), Digest: slices.Clip(digest)}
	return nil
}
