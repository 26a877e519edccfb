package eppxml

import "time"

// NSRGP is the namespace of the grace period extension (RFC 3915).
const NSRGP = "urn:ietf:params:xml:ns:rgp-1.0"

// RestoreOp is what an update that restores a domain does.
type RestoreOp string

// The operations of <rgp:restore>.
const (
	RestoreRequest RestoreOp = "request"
	RestoreReport  RestoreOp = "report"
)

// RGPRestore is <rgp:update>, which holds nothing but a restore (RFC 3915 section 4.2.5).
type RGPRestore struct {
	Op RestoreOp
	// Report is nil if none was given; the schema allows one with either operation.
	Report *RGPReport
}

// RGPReport is a restore report. Texts may be of any content; markup in them is kept as markup.
type RGPReport struct {
	PreData, PostData string
	DelTime, ResTime  time.Time
	ResReason         string
	// Statements are one or two.
	Statements []string
	Other      string
}

// DecodeRGPUpdate decodes <rgp:update>.
func DecodeRGPUpdate(e *Element) (*RGPRestore, *Error) {
	var out *RGPRestore
	err := decodeElement(e, func(d *decoder, n int32) { out = d.rgpUpdate(d.rootOf(n, NSRGP, "update")) })
	return out, err
}

func (d *decoder) rgpUpdate(n int32) *RGPRestore {
	outer := d.sequence(n)
	restore := outer.expect("restore")
	outer.end()
	out := &RGPRestore{}
	a := d.attributes(restore)
	out.Op = RestoreOp(d.oneOf(restore, a.required("op"), string(RestoreRequest), string(RestoreReport)))
	a.end()
	c := d.sequenceOnly(restore)
	if n, ok := c.optional("report"); ok {
		out.Report = d.rgpReport(n)
	}
	c.end()
	return out
}

func (d *decoder) rgpReport(n int32) *RGPReport {
	c := d.sequence(n)
	out := &RGPReport{PreData: d.mixed(c.expect("preData")), PostData: d.mixed(c.expect("postData"))}
	out.DelTime = d.dateTime(c.expect("delTime"))
	out.ResTime = d.dateTime(c.expect("resTime"))
	out.ResReason = d.reportText(c.expect("resReason"))
	c.many("statement", 1, 2, func(n int32) { out.Statements = append(out.Statements, d.reportText(n)) })
	if n, ok := c.optional("other"); ok {
		out.Other = d.mixed(n)
	}
	c.end()
	return out
}

// mixed reads rgp:mixedType: text and elements of any kind, as text.
func (d *decoder) mixed(n int32) string {
	d.noAttributes(n)
	return d.mixedBody(n)
}

// reportText reads rgp:reportTextType: rgp:mixedType with a language.
func (d *decoder) reportText(n int32) string {
	a := d.attributes(n)
	if lang, ok := a.optional("lang"); ok {
		d.language(n, lang)
	}
	a.end()
	return d.mixedBody(n)
}

func (d *decoder) mixedBody(n int32) string {
	if d.err != nil || n == noNode {
		return ""
	}
	e := d.t.element(n)
	out := collapse(e.Text)
	for i := range e.Children {
		out += string(AppendElement(nil, &e.Children[i], ""))
	}
	return out
}

// AppendRGPUpdate appends <rgp:update>. Markup in texts is written as text.
func AppendRGPUpdate(dst []byte, r *RGPRestore) []byte {
	dst = appendObjectOpen(dst, "rgp", NSRGP, "update")
	dst = append(appendAttr(append(dst, "<rgp:restore"...), "op", string(r.Op)), '>')
	if p := r.Report; p != nil {
		dst = appendLeaf(append(dst, "<rgp:report>"...), "rgp:preData", p.PreData)
		dst = appendLeaf(dst, "rgp:postData", p.PostData)
		dst = appendTime(dst, "rgp:delTime", p.DelTime)
		dst = appendTime(dst, "rgp:resTime", p.ResTime)
		dst = appendLeaf(dst, "rgp:resReason", p.ResReason)
		dst = appendLeaves(dst, "rgp:statement", p.Statements)
		dst = appendOptional(dst, "rgp:other", p.Other)
		dst = append(dst, "</rgp:report>"...)
	}
	return append(dst, "</rgp:restore></rgp:update>"...)
}

// AppendRGPInfData appends <rgp:infData>, which an info carries. The schema asks for one status at least.
func AppendRGPInfData(dst []byte, statuses []string) []byte {
	return appendRGPStatuses(dst, "infData", statuses)
}

// AppendRGPUpData appends <rgp:upData>, which the answer to a restore carries.
func AppendRGPUpData(dst []byte, statuses []string) []byte {
	return appendRGPStatuses(dst, "upData", statuses)
}

func appendRGPStatuses(dst []byte, name string, statuses []string) []byte {
	dst = appendObjectOpen(dst, "rgp", NSRGP, name)
	for _, s := range statuses {
		dst = append(appendAttr(append(dst, "<rgp:rgpStatus"...), "s", s), "/>"...)
	}
	return appendClose(dst, "rgp:"+name)
}

// DecodeRGPStatuses decodes <rgp:infData> or <rgp:upData>, as a client reads it.
func DecodeRGPStatuses(e *Element) ([]string, *Error) {
	var out []string
	err := decodeElement(e, func(d *decoder, n int32) {
		name := "infData"
		if e.Name == "upData" {
			name = e.Name
		}
		c := d.sequence(d.rootOf(n, NSRGP, name))
		c.many("rgpStatus", 1, unbounded, func(n int32) {
			out = append(out, d.status(n, isRGPStatus).Value)
		})
		c.end()
	})
	return out, err
}

// isRGPStatus is rgp:statusValueType.
func isRGPStatus(s string) bool {
	switch s {
	case "addPeriod", "autoRenewPeriod", "renewPeriod", "transferPeriod", "pendingDelete", "pendingRestore", "redemptionPeriod":
		return true
	}
	return false
}
