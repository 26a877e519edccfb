package eppxml

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Response is one response frame (RFC 5730 section 2.6).
type Response struct {
	// Results must not be empty.
	Results []Result
	MsgQ    *MsgQ
	// ResData is what one of the Append…Data functions made, or nil.
	ResData []byte
	// Extension is the encoded content of <extension>, or nil.
	Extension []byte
	// ClTRID echoes the client's identifier; empty leaves it out.
	ClTRID string
	// SvTRID has 3 to 64 characters.
	SvTRID string
}

// Result is one <result>.
type Result struct {
	// Code is one of the result codes of RFC 5730 section 3.
	Code int
	Msg  string
	// Lang is the language of Msg; empty means en.
	Lang      string
	Values    []Value
	ExtValues []ExtValue
}

// Value is a client-provided element that caused an error. One whose Name is not a legal element name is left out.
type Value struct {
	NS, Name, Text string
	// XML is the whole element, already encoded, in place of Text. It declares the prefixes that it uses.
	XML string
}

// ExtValue is a Value with the server's reason.
type ExtValue struct {
	Value  Value
	Reason string
	// Lang is the language of Reason; empty means en.
	Lang string
}

// MsgQ is the state of the client's message queue.
type MsgQ struct {
	Count uint64
	// ID names the message at the head and must not be empty.
	ID string
	// Date and Msg are left out if zero; they belong to the answer to a poll request only.
	Date time.Time
	Msg  string
	// Lang is the language of Msg; empty means en.
	Lang string
}

const (
	frameOpen  = `<?xml version="1.0" encoding="UTF-8" standalone="no"?><epp xmlns="` + NSEPP + `">`
	frameClose = `</epp>`
)

// AppendResponse appends a response frame, without the length header.
func AppendResponse(dst []byte, r *Response) []byte {
	dst = append(dst, frameOpen+"<response>"...)
	for i := range r.Results {
		dst = appendResult(dst, &r.Results[i])
	}
	if q := r.MsgQ; q != nil {
		dst = appendMsgQ(dst, q)
	}
	if len(r.ResData) > 0 {
		dst = append(append(append(dst, "<resData>"...), r.ResData...), "</resData>"...)
	}
	dst = appendExtension(dst, r.Extension)
	dst = append(dst, "<trID>"...)
	dst = appendTRIDs(dst, r.ClTRID, r.SvTRID)
	return append(dst, "</trID></response>"+frameClose...)
}

// appendExtension appends <extension> around encoded content, and nothing without content.
func appendExtension(dst, content []byte) []byte {
	if len(content) == 0 {
		return dst
	}
	return append(append(append(dst, "<extension>"...), content...), "</extension>"...)
}

// appendTRIDs appends the content of epp:trIDType. A client identifier that the schema does not allow is left out.
func appendTRIDs(dst []byte, clTRID, svTRID string) []byte {
	if k := utf8.RuneCountInString(clTRID); k >= minTRID && k <= maxTRID {
		dst = appendLeaf(dst, "clTRID", clTRID)
	}
	return appendLeaf(dst, "svTRID", svTRID)
}

func appendResult(dst []byte, r *Result) []byte {
	dst = append(dst, `<result code="`...)
	dst = append(strconv.AppendInt(dst, int64(r.Code), 10), `">`...)
	dst = appendMessage(dst, "msg", r.Msg, r.Lang)
	for i := range r.Values {
		dst = appendValue(dst, &r.Values[i])
	}
	for i := range r.ExtValues {
		v := &r.ExtValues[i]
		if !isNCName(v.Value.Name) {
			continue
		}
		dst = appendValue(append(dst, "<extValue>"...), &v.Value)
		dst = appendMessage(dst, "reason", v.Reason, v.Lang)
		dst = append(dst, "</extValue>"...)
	}
	return append(dst, "</result>"...)
}

// appendMessage appends epp:msgType.
func appendMessage(dst []byte, name, text, lang string) []byte {
	dst = append(append(dst, '<'), name...)
	if lang != "" {
		dst = appendAttr(dst, "lang", lang)
	}
	return appendClose(appendText(append(dst, '>'), text), name)
}

func appendValue(dst []byte, v *Value) []byte {
	if !isNCName(v.Name) {
		return dst
	}
	dst = append(dst, "<value>"...)
	if len(v.XML) > 0 {
		dst = append(dst, v.XML...)
	} else {
		dst = AppendElement(dst, &Element{NS: v.NS, Name: v.Name, Text: v.Text}, NSEPP)
	}
	return append(dst, "</value>"...)
}

func appendMsgQ(dst []byte, q *MsgQ) []byte {
	dst = append(dst, `<msgQ count="`...)
	dst = append(strconv.AppendUint(dst, q.Count, 10), '"')
	dst = appendAttr(dst, "id", q.ID)
	if q.Date.IsZero() && q.Msg == "" {
		return append(dst, "/>"...)
	}
	dst = appendTime(append(dst, '>'), "qDate", q.Date)
	if q.Msg != "" {
		dst = appendMessage(dst, "msg", q.Msg, q.Lang)
	}
	return append(dst, "</msgQ>"...)
}
