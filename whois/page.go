package whois

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cadastre/disclose"
)

// usualAnswerOctets is as long as nearly every answer.
const usualAnswerOctets = 2048

// page is an answer: labels and values, one a line.
type page struct{ b []byte }

func newPage() *page { return &page{b: make([]byte, 0, usualAnswerOctets)} }

func (p *page) line(label, value string) {
	p.b = append(append(append(append(p.b, label...), ": "...), printable(value)...), "\r\n"...)
}

func (p *page) lineIf(label, value string) {
	if value != "" {
		p.line(label, value)
	}
}

func (p *page) text(lines ...string) {
	for _, line := range lines {
		p.b = append(append(p.b, line...), "\r\n"...)
	}
}

func (p *page) time(label string, t time.Time) {
	if !t.IsZero() {
		p.line(label, formatTime(t))
	}
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// bytes ends the answer with the time of the data: that of the last command applied here.
func (p *page) bytes(f disclose.Freshness) []byte {
	if f.Age > 0 {
		p.text("% These data may be outdated: this server has not heard from the registry for " + f.Age.String() + ".")
	}
	p.text(">>> Last update of WHOIS database: " + formatTime(f.At) + " <<<")
	return p.b
}

// printable drops control characters, so that neither a query nor what a registrar wrote changes what
// a terminal or a log shows.
func printable(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s))
}

// isPlain says whether the text is printable ASCII without blanks at its ends, as nearly all is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= utf8.RuneSelf || s[i] == 0x7f {
			return false
		}
	}
	return s == "" || s[0] != ' ' && s[len(s)-1] != ' '
}
