package eppxml

import "time"

// NSChangePoll is the namespace of the change poll extension (RFC 8590).
const NSChangePoll = "urn:ietf:params:xml:ns:changePoll-1.0"

// minWho and maxWho are the length facets of changePoll:whoType, in characters.
const minWho, maxWho = 1, 255

// ChangeData is <changePoll:changeData>, which says how an object was changed by somebody else than its sponsor (RFC 8590
// section 3.1).
type ChangeData struct {
	// State is before or after: which of the two states of the object the message shows.
	State string
	// Operation is create, delete, renew, transfer, update, restore, autoRenew, autoDelete, autoPurge or custom; Op names a
	// custom one.
	Operation, Op string
	Date          time.Time
	SvTRID, Who   string
	// CaseID is nil if the change belongs to no case.
	CaseID *ChangeCase
	// Reason is cut to the 32 characters of the schema. Empty is left out.
	Reason string
}

// ChangeCase is what a change was made for.
type ChangeCase struct {
	ID string
	// Type is udrp, urs or custom; Name says what kind of custom case it is.
	Type, Name string
}

// DecodeChangeData decodes <changePoll:changeData>, as a client reads it.
func DecodeChangeData(e *Element) (*ChangeData, *Error) {
	var out *ChangeData
	err := decodeElement(e, func(d *decoder, n int32) { out = d.changeData(d.rootOf(n, NSChangePoll, "changeData")) })
	return out, err
}

func (d *decoder) changeData(n int32) *ChangeData {
	out := &ChangeData{State: "after"}
	a := d.attributes(n)
	if state, ok := a.optional("state"); ok {
		out.State = d.oneOf(n, state, "before", "after")
	}
	a.end()
	c := d.sequenceOnly(n)
	operation := c.expect("operation")
	a = d.attributes(operation)
	if op, ok := a.optional("op"); ok {
		out.Op = collapse(op)
	}
	a.end()
	out.Operation = d.oneOf(operation, d.simple(operation),
		"create", "delete", "renew", "transfer", "update", "restore", "autoRenew", "autoDelete", "autoPurge", "custom")
	out.Date = d.dateTime(c.expect("date"))
	out.SvTRID = d.token(c.expect("svTRID"), minTRID, maxTRID)
	out.Who = d.line(c.expect("who"), minWho, maxWho)
	if n, ok := c.optional("caseId"); ok {
		out.CaseID = d.changeCase(n)
	}
	if n, ok := c.optional("reason"); ok {
		a := d.attributes(n)
		if lang, ok := a.optional("lang"); ok {
			d.language(n, lang)
		}
		a.end()
		out.Reason = d.tokenBody(n, 1, maxCheckReason)
	}
	c.end()
	return out
}

func (d *decoder) changeCase(n int32) *ChangeCase {
	out := &ChangeCase{}
	a := d.attributes(n)
	out.Type = d.oneOf(n, a.required("type"), "udrp", "urs", "custom")
	if name, ok := a.optional("name"); ok {
		out.Name = collapse(name)
	}
	a.end()
	out.ID = d.tokenBody(n, 0, noMax)
	return out
}

// AppendChangeData appends <changePoll:changeData>.
func AppendChangeData(dst []byte, c *ChangeData) []byte {
	dst = appendAttr(append(dst, "<changePoll:changeData"...), "xmlns:changePoll", NSChangePoll)
	dst = append(appendAttr(dst, "state", c.State), '>')
	dst = append(dst, "<changePoll:operation"...)
	if c.Op != "" {
		dst = appendAttr(dst, "op", c.Op)
	}
	dst = appendClose(appendText(append(dst, '>'), c.Operation), "changePoll:operation")
	dst = appendTime(dst, "changePoll:date", c.Date)
	dst = appendLeaf(dst, "changePoll:svTRID", c.SvTRID)
	dst = appendLeaf(dst, "changePoll:who", clip(c.Who, maxWho))
	if about := c.CaseID; about != nil {
		dst = appendAttr(append(dst, "<changePoll:caseId"...), "type", about.Type)
		if about.Name != "" {
			dst = appendAttr(dst, "name", about.Name)
		}
		dst = appendClose(appendText(append(dst, '>'), about.ID), "changePoll:caseId")
	}
	dst = appendOptional(dst, "changePoll:reason", collapse(clip(collapse(c.Reason), maxCheckReason)))
	return appendClose(dst, "changePoll:changeData")
}
