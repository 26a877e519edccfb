package eppxml

import (
	"strconv"
	"strings"
	"time"
)

// timeLayout is how every xsd:dateTime is written: UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// dateLayout is how an xsd:date is written.
const dateLayout = "2006-01-02"

// maxYearDigits bounds a year; xsd:date has no bound of its own.
const maxYearDigits = 9

// maxZoneHours is the largest zone offset of XML Schema.
const maxZoneHours = 14

// date reads xsd:date from an element without attributes. The result is midnight UTC of the calendar day as written: EPP
// compares days (RFC 5731 section 3.2.3), so a zone offset is checked and left aside.
func (d *decoder) date(n int32) time.Time {
	d.noAttributes(n)
	s := collapse(d.simple(n))
	if d.err != nil {
		return time.Time{}
	}
	t, ok := parseDate(s)
	if !ok {
		d.fail(n, s, "value is not a date")
	}
	return t
}

func parseDate(s string) (time.Time, bool) {
	body, negative := strings.CutPrefix(s, "-")
	dash := strings.IndexByte(body, '-')
	if dash < 4 || dash > 4 && body[0] == '0' || len(body) < dash+len("-01-02") {
		return time.Time{}, false
	}
	year, month, day := body[:dash], body[dash+1:dash+3], body[dash+4:dash+6]
	if !isDigits(year, maxYearDigits) || !isDigits(month, 2) || !isDigits(day, 2) || body[dash+3] != '-' {
		return time.Time{}, false
	}
	if !isZone(body[dash+6:]) {
		return time.Time{}, false
	}
	y, _ := strconv.Atoi(year) // digits were checked
	m, _ := strconv.Atoi(month)
	dd, _ := strconv.Atoi(day)
	if y == 0 {
		return time.Time{}, false
	}
	if negative {
		y = -y
	}
	t := time.Date(y, time.Month(m), dd, 0, 0, 0, 0, time.UTC)
	// time.Date carries over what is out of range, which shows in the month.
	return t, m >= 1 && m <= 12 && dd >= 1 && t.Month() == time.Month(m)
}

// isZone is the zone of XML Schema: nothing, Z, or a sign with hours and minutes up to 14:00.
func isZone(s string) bool {
	if s == "" || s == "Z" {
		return true
	}
	if len(s) != len("+00:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' || !isDigits(s[1:3], 2) || !isDigits(s[4:], 2) {
		return false
	}
	h, _ := strconv.Atoi(s[1:3]) // digits were checked
	m, _ := strconv.Atoi(s[4:])
	return m < 60 && (h < maxZoneHours || h == maxZoneHours && m == 0)
}

// dateTime reads xsd:dateTime from an element without attributes; a missing zone means UTC.
// The registry counts time in milliseconds, so finer fractions are cut off.
func (d *decoder) dateTime(n int32) time.Time {
	d.noAttributes(n)
	s := collapse(d.simple(n))
	if d.err != nil {
		return time.Time{}
	}
	day, endOfDay := time.Duration(0), strings.Replace(s, "T24:00:00", "T00:00:00", 1)
	if endOfDay != s {
		day = 24 * time.Hour // XML Schema part 2 section 3.2.7.1: the first instant of the following day
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, endOfDay); err == nil && (day == 0 || t.Nanosecond() == 0) {
			return t.Add(day).UTC().Truncate(time.Millisecond)
		}
	}
	d.fail(n, s, "value is not a date and time")
	return time.Time{}
}
