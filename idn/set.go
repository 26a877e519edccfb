package idn

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Set is the tables that a TLD offers. The variants of each hold for the labels of all, so
// that a label of one table can be the variant of a label of another, or of an ASCII one.
type Set struct {
	tables []*Table // in the order of preference
	folds  map[rune]string
}

// NewSet joins tables. The error is an *Error: two of a tag, or variants that contradict.
func NewSet(tables []*Table) (*Set, error) {
	s := &Set{tables: tables, folds: map[rune]string{}}
	for i, t := range tables {
		if slices.ContainsFunc(tables[:i], func(other *Table) bool { return strings.EqualFold(other.Tag, t.Tag) }) {
			return nil, wrong("the IDN table %s is there twice", t.Tag)
		}
		for _, source := range slices.Sorted(maps.Keys(t.folds)) {
			target := t.folds[source]
			if old, found := s.folds[source]; found && old != target {
				return nil, wrong("the IDN tables disagree about what %U is a variant of", source)
			}
			s.folds[source] = target
		}
	}
	var err error
	s.folds, err = resolve(s.folds)
	return s, err
}

// resolve follows chains of variants to their ends.
func resolve(folds map[rune]string) (map[rune]string, error) {
	ends := make(map[rune]string, len(folds))
	for _, source := range slices.Sorted(maps.Keys(folds)) {
		target := folds[source]
		for steps := 0; ; steps++ {
			next := fold(folds, target)
			if next == target {
				break
			}
			if target = next; steps == maxFoldSteps || len(target) > maxSequence*maxSequence*utf8.UTFMax {
				return nil, wrong("the variants of %U go round in a circle", source)
			}
		}
		ends[source] = target
	}
	return ends, nil
}

func fold(folds map[rune]string, s string) string {
	var b strings.Builder
	for _, r := range s {
		if target, found := folds[r]; found {
			b.WriteString(target)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Table returns the table of the tag, without regard to case (RFC 5646 section 2.1.1).
func (s *Set) Table(tag string) (*Table, bool) {
	for _, t := range s.tables {
		if strings.EqualFold(t.Tag, tag) {
			return t, true
		}
	}
	return nil, false
}

// Tags lists the tags of the tables in their order.
func (s *Set) Tags() []string {
	tags := make([]string, 0, len(s.tables))
	for _, t := range s.tables {
		tags = append(tags, t.Tag)
	}
	return tags
}

// Deduce returns the first table whose repertoire holds the whole U-label.
func (s *Set) Deduce(uLabel string) (*Table, bool) {
	for _, t := range s.tables {
		if t.Check(uLabel) == nil {
			return t, true
		}
	}
	return nil, false
}

// Key returns what all variants of a label have in common: its primary form. That of an
// ASCII label is the label. It may be longer than a label.
func (s *Set) Key(uLabel string) string { return fold(s.folds, uLabel) }

// SameKeys says whether every label of the tables of s keeps its key in the other set. The
// error, an *Error, names a code point that would be the variant of something else.
func (s *Set) SameKeys(other *Set) error {
	changed := map[rune]bool{}
	for _, folds := range []map[rune]string{s.folds, other.folds} {
		for r := range folds {
			if s.folds[r] != other.folds[r] && slices.ContainsFunc(s.tables, func(t *Table) bool { return t.Has(r) }) {
				changed[r] = true
			}
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return &Error{Policy: true, Reason: wrong("%U would become the variant of something else", slices.Min(slices.Collect(maps.Keys(changed)))).Error()}
}
