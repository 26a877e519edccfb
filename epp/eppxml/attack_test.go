package eppxml

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

const helloBody = `<epp xmlns="` + NSEPP + `"><hello/></epp>`

// command wraps the content of a <command>.
func command(content string) string {
	return `<epp xmlns="` + NSEPP + `" xmlns:d="` + NSDomain + `" xmlns:xsi="` + nsXSI + `"><command>` + content + `</command></epp>`
}

func TestHostileFrames(t *testing.T) {
	utf16 := []byte{0xFF, 0xFE}
	for _, c := range helloBody {
		utf16 = append(utf16, byte(c), 0)
	}
	manyNS := ""
	for i := range 40 {
		manyNS += fmt.Sprintf(` xmlns:p%d="urn:%d"`, i, i)
	}
	scoped := ""
	for level := range 4 {
		scoped += "<hello"
		for i := range 20 {
			scoped += fmt.Sprintf(` xmlns:p%dx%d="urn:x"`, level, i)
		}
		scoped += ">"
	}
	tests := []struct{ name, frame, reason string }{
		{"empty", "", "no root element"},
		{"billion laughs", `<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><epp>&b;</epp>`, "document type"},
		{"external entity", `<?xml version="1.0"?><!DOCTYPE epp [<!ENTITY x SYSTEM "file:///etc/passwd">]><epp>&x;</epp>`, "document type"},
		{"external subset", `<!DOCTYPE epp SYSTEM "http://example.com/evil.dtd">` + helloBody, "document type"},
		{"doctype within", command("<!DOCTYPE x><logout/>"), "document type"},
		{"unknown entity", command("<logout>&x;</logout>"), "five XML entities"},
		{"processing instruction", `<?php x?>` + helloBody, "processing instructions"},
		{"processing instruction within", command(`<logout><?x?></logout>`), "processing instructions"},
		{"stylesheet", `<?xml-stylesheet href="x"?>` + helloBody, "processing instructions"},
		{"deep nesting", command(strings.Repeat("<a>", 5000)), "nested too deeply"},
		{"many elements", command("<logout>" + strings.Repeat("<a/>", 12000) + "</logout>"), "too many tags"},
		{"huge attribute", `<epp a="` + strings.Repeat("x", MaxAttributeBytes+1) + `"/>`, "attribute value too long"},
		{"huge text", command("<clTRID>" + strings.Repeat("x", MaxTextBytes+1) + "</clTRID>"), "text too long"},
		{"huge text in parts", command("<clTRID>" + strings.Repeat("<![CDATA["+strings.Repeat("x", 8000)+"]]>", 5) + "</clTRID>"), "text too long"},
		{"huge name", "<" + strings.Repeat("x", MaxNameBytes+1) + "/>", "name too long"},
		{"huge frame", strings.Repeat(" ", MaxFrame+1), "larger than allowed"},
		{"many attributes", `<epp` + manyNS + `/>`, "too many attributes"},
		{"many namespaces", `<epp xmlns="` + NSEPP + `">` + scoped, "too many namespaces"},
		{"invalid utf-8", "<epp>\xff</epp>", "not UTF-8"},
		{"overlong utf-8", "<epp>\xc0\xbc</epp>", "not UTF-8"},
		{"surrogate", "<epp>\xed\xa0\x80</epp>", "not UTF-8"},
		{"utf-16", string(utf16), "UTF-16"},
		{"utf-16 without mark", "<\x00e\x00p\x00p\x00/\x00>\x00", "forbids"},
		{"null byte", "<epp>\x00</epp>", "forbids"},
		{"U+FFFF", "<epp>\uFFFF</epp>", "forbids"},
		{"null reference", command("<logout>&#0;</logout>"), "character reference"},
		{"surrogate reference", command("<logout>&#xD800;</logout>"), "character reference"},
		{"overflowing reference", command("<logout>&#99999999999999999999;</logout>"), "character reference"},
		{"latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + helloBody, "encoding UTF-8"},
		{"version 1.1", `<?xml version="1.1"?>` + helloBody, "version 1.0"},
		{"late declaration", " <?xml version='1.0'?>" + helloBody, "processing instructions"},
		{"two roots", helloBody + helloBody, "after the root"},
		{"trailing text", helloBody + "x", "after the root"},
		{"no end", `<epp xmlns="` + NSEPP + `"><hello>`, "ends within"},
		{"crossed tags", `<a><b></a></b>`, "does not match"},
		{"longer end tag", `<a></ab>`, "does not match"},
		{"attribute twice", `<a b="1" b="2"/>`, "given twice"},
		{"attribute twice by namespace", `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, "given twice"},
		{"declaration twice", `<a xmlns:p="u" xmlns:p="v"/>`, "declared twice"},
		{"undeclared prefix", `<p:a/>`, "undeclared"},
		{"undeclared attribute prefix", `<a p:b=""/>`, "undeclared"},
		{"prefix unbound", `<a xmlns:p=""/>`, "no namespace"},
		{"xmlns prefix", `<a xmlns:xmlns="u"/>`, "must not be declared"},
		{"xmlns namespace", `<a xmlns:p="` + nsXMLNS + `"/>`, "must not be declared"},
		{"xml rebound", `<a xmlns:xml="u"/>`, "belong together"},
		{"xml namespace elsewhere", `<a xmlns="` + nsXML + `"/>`, "belong together"},
		{"two colons", `<a:b:c xmlns:a="u"/>`, "colon"},
		{"name starts with digit", `<1a/>`, "must not start"},
		{"unquoted attribute", `<a b=c/>`, "quoted"},
		{"attribute without value", `<a b/>`, "needs a value"},
		{"attributes without space", `<a b="1"c="2"/>`, "white space"},
		{"less-than in attribute", `<a b="<"/>`, "within an attribute"},
		{"cdata end in text", `<a>]]></a>`, "]]>"},
		{"open comment", `<!-- ` + helloBody, "comment"},
		{"double hyphen", `<!-- -- -->` + helloBody, "hyphens"},
		{"xsi:type", command(`<logout xsi:type="d:x"/>`), "xsi attributes"},
		{"xsi:nil", command(`<logout xsi:nil="true"/>`), "xsi attributes"},
	}
	for _, tt := range tests {
		_, err := Decode([]byte(tt.frame))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, want an *Error", tt.name, err)
			continue
		}
		if e.Kind != KindSyntax || !strings.Contains(e.Reason, tt.reason) {
			t.Errorf("%s: %v, want a syntax error about %q", tt.name, e, tt.reason)
		}
		if e.Offset < 0 || e.Offset > len(tt.frame) {
			t.Errorf("%s: offset %d is outside the frame", tt.name, e.Offset)
		}
	}
}

func TestErrorContext(t *testing.T) {
	info := `<info><d:info><d:name>` + strings.Repeat("x", 256) + `</d:name></d:info></info>`
	tests := []struct {
		name, frame, element, clTRID string
		kind                         Kind
		verb                         Verb
	}{
		{"schema", command(info + `<clTRID>ABC-1</clTRID>`), "name", "ABC-1", KindSyntax, VerbInfo},
		{"no clTRID", command(info), "name", "", KindSyntax, VerbInfo},
		{"clTRID itself wrong", command(`<logout/><clTRID>A</clTRID>`), "clTRID", "", KindSyntax, VerbLogout},
		{"after clTRID", command(`<logout/><clTRID>ABC-1</clTRID><x/>`), "x", "ABC-1", KindSyntax, VerbLogout},
		{"broken after clTRID", `<epp xmlns="` + NSEPP + `"><command><logout/><clTRID>ABC-1</clTRID></command`, "command", "ABC-1", KindSyntax, VerbLogout},
		{"broken within clTRID", `<epp xmlns="` + NSEPP + `"><command><logout/><clTRID>ABC-1`, "clTRID", "", KindSyntax, VerbLogout},
		{"unknown command", command(`<frob/><clTRID>ABC-1</clTRID>`), "frob", "ABC-1", KindUnknownCommand, ""},
		{"unknown object", command(`<check><q:check xmlns:q="urn:q"/></check><clTRID>ABC-1</clTRID>`), "check", "ABC-1", KindUnimplementedObject, VerbCheck},
		{"object without namespace", command(`<check><q xmlns=""/></check>`), "q", "", KindSyntax, VerbCheck},
		{"other verb's object", command(`<check><d:info><d:name>x</d:name></d:info></check>`), "info", "", KindSyntax, VerbCheck},
		{"protocol extension", `<epp xmlns="` + NSEPP + `"><extension><q xmlns="urn:q"/></extension></epp>`, "extension", "", KindUnimplementedExtension, ""},
		{"greeting", `<epp xmlns="` + NSEPP + `"><greeting/></epp>`, "greeting", "", KindSyntax, ""},
		{"empty extension", command(`<logout/><extension/>`), "extension", "", KindSyntax, VerbLogout},
	}
	for _, tt := range tests {
		_, err := Decode([]byte(tt.frame))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, want an *Error", tt.name, err)
			continue
		}
		if e.Kind != tt.kind || e.Element != tt.element || e.ClTRID != tt.clTRID || e.Verb != tt.verb {
			t.Errorf("%s: kind %v element %q clTRID %q verb %q (%v), want %v %q %q %q", tt.name, e.Kind, e.Element, e.ClTRID, e.Verb, e,
				tt.kind, tt.element, tt.clTRID, tt.verb)
		}
		if len(e.Value) > maxErrorValue {
			t.Errorf("%s: value of %d bytes", tt.name, len(e.Value))
		}
	}
}

// No error may show a secret.
func TestErrorsHideSecrets(t *testing.T) {
	const secret = "hunter2-hunter2-hunter2"
	for _, frame := range []string{
		command(`<login><clID>abc</clID><pw>` + secret + `</pw></login>`),
		command(`<login><clID>abc</clID><pw>foobar</pw><newPW>` + secret + `</newPW></login>`),
		command(`<info><d:info><d:name>x</d:name><d:authInfo><d:pw a="b">` + secret + `</d:pw></d:authInfo></d:info></info>`),
		command(`<info><d:info><d:name>x</d:name><d:authInfo>` + secret + `</d:authInfo></d:info></info>`),
		command(`<info><d:info><d:name>x</d:name><d:authInfo><d:pw>` + secret + `<x/></d:pw></d:authInfo></d:info></info>`),
	} {
		_, err := Decode([]byte(frame))
		if err == nil {
			t.Errorf("accepted: %s", frame)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error shows the secret: %v", err)
		}
	}
}

func TestErrorExtValue(t *testing.T) {
	_, err := Decode([]byte(command(`<renew><d:renew><d:name>x</d:name><d:curExpDate>yesterday</d:curExpDate></d:renew></renew>`)))
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("the error is %v", err)
	}
	got, ok := e.ExtValue()
	want := ExtValue{Value: Value{NS: NSDomain, Name: "curExpDate", Text: "yesterday"}, Reason: "value is not a date"}
	if !ok || got != want {
		t.Errorf("ExtValue() = %v, %v; want %v", got, ok, want)
	}
}

// The request must not change when the caller uses its buffer or the Decoder again.
func TestDecoderReuse(t *testing.T) {
	var dec Decoder
	frame := AppendCommand(nil, &Command{Body: &HostInfo{Name: "ns1.example.com"}, ClTRID: "ABC-1"})
	first, err := dec.Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	for i := range frame {
		frame[i] = 'x'
	}
	for _, r := range sampleRequests() {
		if _, err := dec.Decode(AppendRequest(nil, r)); err != nil {
			t.Fatal(err)
		}
		if _, err := dec.Decode(bytes.Repeat([]byte("<a>"), 100)); err == nil {
			t.Fatal("nonsense accepted")
		}
	}
	if got := first.Command.Body.(*HostInfo).Name; got != "ns1.example.com" || first.Command.ClTRID != "ABC-1" {
		t.Errorf("first request became %q %q", got, first.Command.ClTRID)
	}
}

func TestTextForms(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a&lt;b&gt;&amp;&quot;&apos;", `a<b>&"'`},
		{"&#65;&#x42;&#x1F600;", "AB\U0001F600"},
		{"a<![CDATA[<b>&amp;]]>c", "a<b>&amp;c"},
		{"a<!-- x -->b<!---->c", "abc"},
		{"a\r\nb\rc\td\n", "a b c d"},
		{"  a \n b  ", "a b"},
		{"&#13;a&#10;&#9;b", "a b"},
		{"é日本", "é日本"},
	}
	for _, tt := range tests {
		req, err := Decode([]byte(command(`<info><d:info><d:name>` + tt.in + `</d:name></d:info></info>`)))
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got := req.Command.Body.(*DomainInfo).Name; got != tt.want {
			t.Errorf("%q decodes to %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestDecodeElement(t *testing.T) {
	ds := secDNSCreate()
	var tag uint64
	read := func(d *decoder, n int32) {
		c := d.sequence(n)
		in := d.sequence(c.expect("dsData"))
		k := in.expect("keyTag")
		tag = d.unsigned(k, d.simple(k), 0, 65535)
		c.end()
	}
	if err := decodeElement(&ds, read); err != nil || tag != 12345 {
		t.Errorf("keyTag = %d, error %v", tag, err)
	}
	ds.Children[0].Children[0].Text = "70000"
	if err := decodeElement(&ds, read); err == nil || err.Element != "keyTag" {
		t.Errorf("error %v, want one about keyTag", err)
	}
}

// Whatever a frame holds, decoding it takes a small multiple of the largest frame.
func TestDecodeMemoryIsBounded(t *testing.T) {
	const most = 100 * MaxFrame
	fill := func(open, piece, end string, times int) []byte {
		return []byte(command(open + strings.Repeat(piece, times) + end))
	}
	attrs := "<q"
	for i := range MaxAttributes - 1 {
		attrs += fmt.Sprintf(` a%d=""`, i)
	}
	for name, frame := range map[string][]byte{
		"elements":   fill(`<logout/><extension><x xmlns="urn:x">`, "<a/>", "</x></extension>", 9000),
		"attributes": fill(`<logout/><extension><x xmlns="urn:x">`, attrs+"/>", "</x></extension>", 250),
		"text runs":  fill(`<logout/><extension><x xmlns="urn:x">`, "a<!---->", "</x></extension>", 4900),
		"references": fill(`<logout/><extension><x xmlns="urn:x">`, "&#9;", "</x></extension>", 7000),
		"names":      fill(`<check><d:check>`, "<d:name>a</d:name>", "</d:check></check>", 3300),
	} {
		if len(frame) > MaxFrame {
			t.Fatalf("%s: frame of %d bytes", name, len(frame))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(frame)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > most {
			t.Errorf("%s: %d bytes allocated for a frame of %d, want at most %d", name, used, len(frame), most)
		}
	}
}
