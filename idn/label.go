package idn

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// Prefix begins every A-label (RFC 5890 section 2.3.2.1).
const Prefix = "xn--"

// maxLabelOctets bounds an A-label (RFC 5890 section 2.3.2.1), and so what is decoded.
const maxLabelOctets = 63

func wrong(reason string, args ...any) error { return &Error{Reason: fmt.Sprintf(reason, args...)} }

// HasPrefix says whether the label claims to be an A-label.
func HasPrefix(label string) bool {
	return len(label) >= len(Prefix) && strings.EqualFold(label[:len(Prefix)], Prefix)
}

// ULabel returns the U-label of an A-label in lower case. The error is an *Error that names
// the rule of IDNA2008 that the label breaks.
func ULabel(aLabel string) (string, error) {
	if !HasPrefix(aLabel) || len(aLabel) > maxLabelOctets {
		return "", wrong("the label is not an A-label of at most 63 octets (RFC 5890 section 2.3.2.1)")
	}
	u, err := idna.Punycode.ToUnicode(aLabel)
	if err != nil || u == aLabel {
		return "", wrong("what follows xn-- is not Punycode (RFC 3492)")
	}
	if err := CheckULabel(u); err != nil {
		return "", err
	}
	if back, err := idna.Punycode.ToASCII(u); err != nil || back != aLabel {
		return "", wrong("the label is not what its Unicode form is encoded as (RFC 5891 section 5.4)")
	}
	return u, nil
}

// ALabel returns the A-label of a U-label. The error is as for CheckULabel.
func ALabel(uLabel string) (string, error) {
	if err := CheckULabel(uLabel); err != nil {
		return "", err
	}
	a, err := idna.Punycode.ToASCII(uLabel)
	if err != nil || len(a) > maxLabelOctets {
		return "", wrong("the label has more than 63 octets as an A-label (RFC 5890 section 2.3.2.1)")
	}
	return a, nil
}

// CheckULabel says whether u is a U-label that may be registered (RFC 5891 section 4.2, RFC
// 5892, RFC 5893): the error is an *Error that names the rule.
func CheckULabel(u string) error {
	if len(u) > maxLabelOctets*utf8.UTFMax || !utf8.ValidString(u) {
		return wrong("the label is not UTF-8 of a sensible length")
	}
	if !norm.NFC.IsNormalString(u) {
		return wrong("the label is not in Unicode Normalization Form C (RFC 5891 section 4.2.1)")
	}
	if strings.HasPrefix(u, "-") || strings.HasSuffix(u, "-") {
		return wrong("the label begins or ends with a hyphen (RFC 5891 section 4.2.3.1)")
	}
	runes := []rune(u)
	if len(runes) >= 4 && runes[2] == '-' && runes[3] == '-' {
		return wrong("the label has hyphens as third and fourth characters (RFC 5891 section 4.2.3.1)")
	}
	ascii := true
	for i, r := range runes {
		ascii = ascii && r < utf8.RuneSelf
		if i == 0 && unicode.Is(unicode.M, r) {
			return wrong("the label begins with a combining mark (RFC 5891 section 4.2.3.2)")
		}
		switch propertyOf(r) {
		case disallowed:
			return wrong("%U is not allowed in labels (RFC 5892)", r)
		case contextO:
			if !inContext(runes, i) {
				return wrong("%U is not allowed in this place (RFC 5892 appendix A)", r)
			}
		}
	}
	if ascii {
		return wrong("the label has no character beyond ASCII and so no A-label (RFC 5890 section 2.3.2.1)")
	}
	if err := checkJoiners(u); err != nil {
		return err
	}
	if isRightToLeft(u) && !bidirule.ValidString(u) {
		return wrong("the label breaks the Bidi rule (RFC 5893 section 2)")
	}
	return nil
}

// checkJoiners applies the rules for U+200C and U+200D, which look at how neighbours join
// (RFC 5892 appendix A.1 and A.2).
func checkJoiners(u string) error {
	if !strings.ContainsAny(u, "\u200c\u200d") {
		return nil
	}
	if _, err := idna.New(idna.ValidateLabels(true), idna.CheckJoiners(true)).ToASCII(u); err != nil {
		return wrong("a joiner is not allowed in this place (RFC 5892 appendix A.1)")
	}
	return nil
}

// isRightToLeft says whether the label makes a name one to which the Bidi rule applies
// (RFC 5893 section 1.4).
func isRightToLeft(u string) bool {
	for _, r := range u {
		switch p, _ := bidi.LookupRune(r); p.Class() {
		case bidi.R, bidi.AL, bidi.AN:
			return true
		}
	}
	return false
}

// CheckBidi says whether a label, in Unicode or ASCII, can stand before a parent name: below a
// name that reads from right to left every label keeps the Bidi rule (RFC 5893 section 1.4).
func CheckBidi(label, parent string) error {
	if isRightToLeft(Display(parent)) && !bidirule.ValidString(label) {
		return wrong("the label breaks the Bidi rule, which holds below a name that reads from right to left (RFC 5893 section 2)")
	}
	return nil
}

// Display returns a name in the form that people read: each valid A-label as its U-label, and
// all other labels as they are.
func Display(name string) string {
	if !strings.Contains(name, Prefix) {
		return name
	}
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if u, err := ULabel(label); err == nil {
			labels[i] = u
		}
	}
	return strings.Join(labels, ".")
}

// ASCII returns a name that people typed with A-labels for all labels that are not ASCII. Their
// letters are made lower case and brought into Normalization Form C; ASCII labels stay as
// they are. The error is an *Error.
func ASCII(name string) (string, error) {
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		a, err := ALabel(norm.NFC.String(strings.ToLower(label)))
		if err != nil {
			return "", err
		}
		labels[i] = a
	}
	return strings.Join(labels, "."), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
