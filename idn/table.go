package idn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Bounds of a table, so that a document of a TLD cannot exhaust the nodes that apply it.
const (
	// MaxTableBytes is the longest text of a table; the whole repertoire of a script is ranges.
	MaxTableBytes = 48 << 10
	maxTableLines = 4000
	maxCodePoints = 30000 // the unified ideographs are 21 thousand, the Hangul syllables 11 thousand
	maxTagChars   = 63    // of minTokenType nothing is said; this fits a DNS label and every RFC 5646 tag in use
	maxSequence   = 4     // code points that one code point can be the variant of
	maxFoldSteps  = 8     // a chain of variants that is longer is a mistake
)

// Table is the repertoire of code points for a language or script, with their variants.
// It is what RFC 7940 calls a label generation ruleset, without rules of its own: those of
// IDNA2008 hold for every table.
type Table struct {
	Tag     string // such as "de" or "und-Latn" (RFC 5646)
	Name    string
	Version string
	ranges  []codeRange
	// folds are the variants: a code point is equivalent to a sequence.
	folds map[rune]string
}

type codeRange struct{ first, last rune }

// ParseTable reads the text form of a table. Lines are "tag: TAG", "name: TEXT", "version:
// TEXT" and "scripts: NAME …" in the words of Unicode; "XXXX" or "XXXX-YYYY" for code points
// in hexadecimal; "XXXX -> YYYY …" for a code point that is a variant of a sequence, in the
// repertoire or not. A # begins a comment. The error is an *Error that names the line.
func ParseTable(text string) (*Table, error) { return parseTable(text, true) }

// LoadTable reads a table that ParseTable has accepted before, without looking anew at every
// code point.
func LoadTable(text string) (*Table, error) { return parseTable(text, false) }

func parseTable(text string, verify bool) (*Table, error) {
	if len(text) > MaxTableBytes {
		return nil, wrong("a table has at most %d octets", MaxTableBytes)
	}
	p := &tableParser{table: &Table{folds: map[rune]string{}}, verify: verify}
	lines := strings.Split(text, "\n")
	if len(lines) > maxTableLines {
		return nil, wrong("a table has at most %d lines", maxTableLines)
	}
	for i, line := range lines {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, wrong("line %d of the table, %q: %v", i+1, line, err)
		}
	}
	return p.table, p.finish()
}

type tableParser struct {
	table   *Table
	scripts []string
	verify  bool
}

func (p *tableParser) line(line string) error {
	if key, value, found := strings.Cut(line, ":"); found {
		return p.header(strings.TrimSpace(key), strings.TrimSpace(value))
	}
	if from, to, found := strings.Cut(line, "->"); found {
		return p.variant(strings.TrimSpace(from), strings.Fields(to))
	}
	first, last, isRange := strings.Cut(line, "-")
	if !isRange {
		last = first
	}
	r := codeRange{}
	var err error
	if r.first, err = codePoint(first); err != nil {
		return err
	}
	if r.last, err = codePoint(last); err != nil {
		return err
	}
	if r.first > r.last {
		return wrong("a range ends after it begins")
	}
	p.table.ranges = append(p.table.ranges, r)
	return nil
}

func (p *tableParser) header(key, value string) error {
	switch key {
	case "tag":
		if !isTag(value) {
			return wrong("a tag is 1 to %d letters, digits and hyphens (RFC 5646)", maxTagChars)
		}
		p.table.Tag = value
	case "name":
		p.table.Name = value
	case "version":
		p.table.Version = value
	case "scripts":
		p.scripts = strings.Fields(value)
		for _, s := range p.scripts {
			if unicode.Scripts[s] == nil {
				return wrong("%s is not a script of Unicode", s)
			}
		}
		if !mayMix(p.scripts) {
			return wrong("scripts are not mixed in a label, save those of East Asia (RFC 5890 section 4.4)")
		}
	default:
		return wrong("want tag, name, version or scripts")
	}
	return nil
}

// mayMix says whether labels may hold letters of all these scripts.
func mayMix(scripts []string) bool {
	together := []string{"Han", "Hiragana", "Katakana", "Hangul", "Bopomofo"}
	return len(scripts) == 1 || len(scripts) > 1 && !slices.ContainsFunc(scripts, func(s string) bool { return !slices.Contains(together, s) })
}

func (p *tableParser) variant(from string, to []string) error {
	source, err := codePoint(from)
	if err != nil {
		return err
	}
	if source <= unicode.MaxASCII || p.verify && propertyOf(source) == disallowed {
		return wrong("the variant of something else is a code point beyond ASCII that labels may hold")
	}
	if len(to) == 0 || len(to) > maxSequence {
		return wrong("a code point is the variant of 1 to %d others", maxSequence)
	}
	var target strings.Builder
	for _, hex := range to {
		r, err := codePoint(hex)
		if err != nil {
			return err
		}
		if p.verify && propertyOf(r) == disallowed {
			return wrong("%U is not allowed in labels (RFC 5892)", r)
		}
		target.WriteRune(r)
	}
	if old, found := p.table.folds[source]; found && old != target.String() {
		return wrong("%U is the variant of two sequences; let one of them be the variant of the other", source)
	}
	p.table.folds[source] = target.String()
	return nil
}

// finish checks the table as a whole.
func (p *tableParser) finish() error {
	t := p.table
	switch {
	case t.Tag == "":
		return wrong("the table has no tag")
	case len(p.scripts) == 0:
		return wrong("the table %s names no scripts", t.Tag)
	case len(t.ranges) == 0:
		return wrong("the table %s has no code points", t.Tag)
	}
	slices.SortFunc(t.ranges, func(a, b codeRange) int { return int(a.first - b.first) })
	count := rune(0)
	for i, codes := range t.ranges {
		if i > 0 && codes.first <= t.ranges[i-1].last {
			return wrong("the table %s lists %U twice", t.Tag, codes.first)
		}
		if count += codes.last - codes.first + 1; count > maxCodePoints {
			return wrong("the table %s has more than %d code points", t.Tag, maxCodePoints)
		}
		for r := codes.first; p.verify && r <= codes.last; r++ {
			if err := p.checkCodePoint(r); err != nil {
				return err
			}
		}
	}
	_, err := resolve(t.folds)
	return err
}

func (p *tableParser) checkCodePoint(r rune) error {
	if propertyOf(r) == disallowed {
		return wrong("the table %s lists %U, which is not allowed in labels (RFC 5892)", p.table.Tag, r)
	}
	if unicode.In(r, unicode.Common, unicode.Inherited) {
		return nil
	}
	for _, s := range p.scripts {
		if unicode.Is(unicode.Scripts[s], r) {
			return nil
		}
	}
	return wrong("the table %s lists %U, which is not of its scripts %s", p.table.Tag, r, strings.Join(p.scripts, ", "))
}

func codePoint(hex string) (rune, error) {
	hex = strings.TrimSpace(hex)
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) < 4 || v > unicode.MaxRune {
		return 0, wrong("%q is not a code point of 4 to 6 hexadecimal digits", hex)
	}
	return rune(v), nil
}

func isTag(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxTagChars
}

// Has says whether the code point is in the repertoire.
func (t *Table) Has(r rune) bool {
	_, found := slices.BinarySearchFunc(t.ranges, r, func(codes codeRange, r rune) int {
		switch {
		case codes.last < r:
			return -1
		case codes.first > r:
			return 1
		default:
			return 0
		}
	})
	return found
}

// Check says whether all code points of a U-label are in the repertoire.
func (t *Table) Check(uLabel string) error {
	for _, r := range uLabel {
		if !t.Has(r) {
			return &Error{Policy: true, Reason: fmt.Sprintf("%U is not in the IDN table %s", r, t.Tag)}
		}
	}
	return nil
}
