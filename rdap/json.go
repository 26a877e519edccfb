package rdap

import (
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// writer appends JSON. Commas come by themselves: a value that follows another one gets one.
type writer struct {
	b []byte
	// dataTimeAt is where the time of the data stands, which is no part of the entity tag.
	dataTimeAt int
	// kept has texts that many answers have in common.
	kept *sync.Map
}

func (w *writer) comma() {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':', ',':
		default:
			w.b = append(w.b, ',')
		}
	}
}

func (w *writer) open(c byte) {
	w.comma()
	w.b = append(w.b, c)
}

func (w *writer) close(c byte) { w.b = append(w.b, c) }

// key begins a member; names of members are plain.
func (w *writer) key(name string) {
	w.comma()
	w.b = append(append(append(w.b, '"'), name...), `":`...)
}

func (w *writer) object(name string) {
	w.key(name)
	w.b = append(w.b, '{')
}

func (w *writer) array(name string) {
	w.key(name)
	w.b = append(w.b, '[')
}

func (w *writer) str(s string) {
	w.comma()
	w.b = appendString(w.b, s)
}

func (w *writer) member(name, value string) {
	w.key(name)
	w.b = appendString(w.b, value)
}

func (w *writer) memberIf(name, value string) {
	if value != "" {
		w.member(name, value)
	}
}

func (w *writer) number(name string, value uint64) {
	w.key(name)
	w.b = strconv.AppendUint(w.b, value, 10)
}

func (w *writer) boolean(name string, value bool) {
	w.key(name)
	w.b = strconv.AppendBool(w.b, value)
}

func (w *writer) strings(name string, values ...string) {
	w.array(name)
	for _, v := range values {
		w.str(v)
	}
	w.close(']')
}

// raw appends what is JSON already.
func (w *writer) raw(value string) {
	w.comma()
	w.b = append(w.b, value...)
}

// timeLayout is RFC 3339 in whole seconds, UTC.
const timeLayout = "2006-01-02T15:04:05Z"

func (w *writer) event(action string, at time.Time) {
	if at.IsZero() {
		return
	}
	w.open('{')
	w.member("eventAction", action)
	w.key("eventDate")
	w.b = append(w.b, '"')
	w.b = at.UTC().AppendFormat(w.b, timeLayout)
	w.b = append(w.b, '"', '}')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string; what is not UTF-8 becomes U+FFFD, and control characters
// that nothing needs are dropped.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && (r != utf8.RuneError || size > 1) && r != '\u2028' && r != '\u2029' {
			i += size
			continue
		}
		b = append(b, s[plain:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case r == utf8.RuneError:
			b = append(b, "\ufffd"...)
		default:
			b = append(b, '\\', 'u', '2', '0', '2', hexDigits[r&15])
		}
		i += size
		plain = i
	}
	return append(append(b, s[plain:]...), '"')
}
