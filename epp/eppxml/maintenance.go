package eppxml

import "time"

// NSMaintenance is the namespace of the mapping for maintenance notifications (RFC 9167).
const NSMaintenance = "urn:ietf:params:xml:ns:epp:maintenance-1.0"

// MaintenanceInfo is <info> of a maintenance or of all (RFC 9167 section 4.1.3).
type MaintenanceInfo struct {
	// ID is nil for a list.
	ID *MaintenanceID
}

// MaintenanceID names a maintenance. Name, for people, and its language may be empty.
type MaintenanceID struct{ ID, Name, Lang string }

// Verb implements Body.
func (*MaintenanceInfo) Verb() Verb { return VerbInfo }

func (d *decoder) maintenanceInfo(n int32) *MaintenanceInfo {
	c := d.sequence(n)
	out := &MaintenanceInfo{}
	if _, list := c.optional("list"); !list { // which has no declared type: any content is valid
		id := d.maintenanceID(c.expect("id"))
		out.ID = &id
	}
	c.end()
	return out
}

func (i *MaintenanceInfo) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbInfo, "maint", NSMaintenance)
	if i.ID == nil {
		dst = append(dst, "<maint:list/>"...)
	} else {
		dst = appendMaintenanceID(dst, i.ID)
	}
	return appendVerbEnd(dst, VerbInfo, "maint")
}

// maintenanceID decodes maint:idType.
func (d *decoder) maintenanceID(n int32) MaintenanceID {
	out := MaintenanceID{}
	a := d.attributes(n)
	if name, ok := a.optional("name"); ok {
		out.Name = collapse(name)
	}
	if lang, ok := a.optional("lang"); ok {
		out.Lang = d.language(n, lang)
	}
	a.end()
	out.ID = d.tokenBody(n, 0, noMax)
	return out
}

func appendMaintenanceID(dst []byte, i *MaintenanceID) []byte {
	dst = append(dst, "<maint:id"...)
	if i.Name != "" {
		dst = appendAttr(dst, "name", i.Name)
	}
	if i.Lang != "" {
		dst = appendAttr(dst, "lang", i.Lang)
	}
	return appendClose(appendText(append(dst, '>'), i.ID), "maint:id")
}

// MaintenanceInfData is the response data of an info, and what messages about a maintenance
// carry: one item, or a list.
type MaintenanceInfData struct {
	Item *MaintenanceItem
	// List is what there is if Item is nil.
	List []MaintenanceListItem
}

// MaintenanceListItem is a maintenance in a list. A zero UpDate is left out.
type MaintenanceListItem struct {
	ID                         MaintenanceID
	Start, End, CrDate, UpDate time.Time
}

// MaintenanceItem is <maint:item>. Empty values are left out where the schema lets them be.
type MaintenanceItem struct {
	ID    MaintenanceID
	Types []MaintenanceText
	// PollType is create, update, delete, courtesy or end in a message, and empty otherwise.
	PollType string
	// Systems are one at least.
	Systems []MaintenanceSystem
	// Environment is production, ote, staging, dev or custom; EnvironmentName names a custom one.
	Environment, EnvironmentName string
	Start, End                   time.Time
	// Reason is planned or emergency.
	Reason       string
	Detail       string
	Descriptions []MaintenanceText
	TLDs         []string
	Intervention *MaintenanceIntervention
	CrDate       time.Time
	UpDate       time.Time
}

// MaintenanceText is a text in a language, which is empty for the schema's default, en. Type
// is that of a description: html, or empty for plain text.
type MaintenanceText struct{ Text, Lang, Type string }

// MaintenanceSystem is a system with the impact on it: none, partial or full.
type MaintenanceSystem struct{ Name, Host, Impact string }

// MaintenanceIntervention says whether clients must connect anew or change their programs.
type MaintenanceIntervention struct{ Connection, Implementation bool }

// DecodeMaintenanceInfData decodes <maint:infData>, as a client reads it.
func DecodeMaintenanceInfData(e *Element) (*MaintenanceInfData, *Error) {
	out := &MaintenanceInfData{}
	err := decodeElement(e, func(d *decoder, n int32) {
		c := d.sequence(d.rootOf(n, NSMaintenance, "infData"))
		if n, ok := c.optional("list"); ok {
			list := d.sequence(n)
			list.many("listItem", 0, unbounded, func(n int32) { out.List = append(out.List, d.maintenanceListItem(n)) })
			list.end()
		} else {
			out.Item = d.maintenanceItem(c.expect("item"))
		}
		c.end()
	})
	return out, err
}

func (d *decoder) maintenanceListItem(n int32) MaintenanceListItem {
	c := d.sequence(n)
	out := MaintenanceListItem{ID: d.maintenanceID(c.expect("id"))}
	out.Start, out.End = d.dateTime(c.expect("start")), d.dateTime(c.expect("end"))
	out.CrDate = d.dateTime(c.expect("crDate"))
	if n, ok := c.optional("upDate"); ok {
		out.UpDate = d.dateTime(n)
	}
	c.end()
	return out
}

func (d *decoder) maintenanceItem(n int32) *MaintenanceItem {
	c := d.sequence(n)
	out := &MaintenanceItem{ID: d.maintenanceID(c.expect("id"))}
	c.many("type", 0, unbounded, func(n int32) { out.Types = append(out.Types, d.maintenanceText(n, false)) })
	if n, ok := c.optional("pollType"); ok {
		d.noAttributes(n)
		out.PollType = d.oneOf(n, d.simple(n), "create", "update", "delete", "courtesy", "end")
	}
	systems := d.sequence(c.expect("systems"))
	systems.many("system", 1, unbounded, func(n int32) { out.Systems = append(out.Systems, d.maintenanceSystem(n)) })
	systems.end()
	environment := c.expect("environment")
	a := d.attributes(environment)
	out.Environment = d.oneOf(environment, a.required("type"), "production", "ote", "staging", "dev", "custom")
	if name, ok := a.optional("name"); ok {
		out.EnvironmentName = collapse(name)
	}
	a.end()
	d.simple(environment)
	out.Start, out.End = d.dateTime(c.expect("start")), d.dateTime(c.expect("end"))
	reason := c.expect("reason")
	d.noAttributes(reason)
	out.Reason = d.oneOf(reason, d.simple(reason), "planned", "emergency")
	if n, ok := c.optional("detail"); ok {
		out.Detail = d.uri(n)
	}
	c.many("description", 0, unbounded, func(n int32) { out.Descriptions = append(out.Descriptions, d.maintenanceText(n, true)) })
	if n, ok := c.optional("tlds"); ok {
		tlds := d.sequence(n)
		out.TLDs = tlds.manyTokens("tld", 1, minLabel, maxLabel)
		tlds.end()
	}
	if n, ok := c.optional("intervention"); ok {
		out.Intervention = d.maintenanceIntervention(n)
	}
	out.CrDate = d.dateTime(c.expect("crDate"))
	if n, ok := c.optional("upDate"); ok {
		out.UpDate = d.dateTime(n)
	}
	c.end()
	return out
}

// maintenanceText decodes maint:typeType or maint:descriptionType.
func (d *decoder) maintenanceText(n int32, description bool) MaintenanceText {
	out := MaintenanceText{}
	a := d.attributes(n)
	if lang, ok := a.optional("lang"); ok {
		out.Lang = d.language(n, lang)
	}
	if description {
		if kind, ok := a.optional("type"); ok {
			if out.Type = d.oneOf(n, kind, "plain", "html"); out.Type == "plain" {
				out.Type = ""
			}
		}
	}
	a.end()
	out.Text = d.simple(n)
	return out
}

func (d *decoder) maintenanceSystem(n int32) MaintenanceSystem {
	c := d.sequence(n)
	out := MaintenanceSystem{Name: d.token(c.expect("name"), 0, noMax)}
	if n, ok := c.optional("host"); ok {
		out.Host = d.label(n)
	}
	impact := c.expect("impact")
	d.noAttributes(impact)
	out.Impact = d.oneOf(impact, d.simple(impact), "none", "partial", "full")
	c.end()
	return out
}

func (d *decoder) maintenanceIntervention(n int32) *MaintenanceIntervention {
	c := d.sequence(n)
	read := func(n int32) bool {
		d.noAttributes(n)
		return d.boolean(n, d.simple(n))
	}
	out := &MaintenanceIntervention{Connection: read(c.expect("connection"))}
	out.Implementation = read(c.expect("implementation"))
	c.end()
	return out
}

// AppendMaintenanceInfData appends <maint:infData>.
func AppendMaintenanceInfData(dst []byte, r *MaintenanceInfData) []byte {
	dst = appendObjectOpen(dst, "maint", NSMaintenance, "infData")
	if r.Item != nil {
		return appendClose(appendMaintenanceItem(dst, r.Item), "maint:infData")
	}
	dst = append(dst, "<maint:list>"...)
	for i := range r.List {
		item := &r.List[i]
		dst = appendMaintenanceID(append(dst, "<maint:listItem>"...), &item.ID)
		dst = appendTime(dst, "maint:start", item.Start)
		dst = appendTime(dst, "maint:end", item.End)
		dst = appendTime(dst, "maint:crDate", item.CrDate)
		dst = appendTime(dst, "maint:upDate", item.UpDate)
		dst = append(dst, "</maint:listItem>"...)
	}
	return append(dst, "</maint:list></maint:infData>"...)
}

func appendMaintenanceItem(dst []byte, i *MaintenanceItem) []byte {
	dst = appendMaintenanceID(append(dst, "<maint:item>"...), &i.ID)
	for _, t := range i.Types {
		dst = appendMaintenanceText(dst, "type", t)
	}
	dst = appendOptional(dst, "maint:pollType", i.PollType)
	dst = append(dst, "<maint:systems>"...)
	for _, s := range i.Systems {
		dst = appendLeaf(append(dst, "<maint:system>"...), "maint:name", s.Name)
		dst = appendOptional(dst, "maint:host", s.Host)
		dst = append(appendLeaf(dst, "maint:impact", s.Impact), "</maint:system>"...)
	}
	dst = appendAttr(append(dst, "</maint:systems><maint:environment"...), "type", i.Environment)
	if i.EnvironmentName != "" {
		dst = appendAttr(dst, "name", i.EnvironmentName)
	}
	dst = appendTime(append(dst, "/>"...), "maint:start", i.Start)
	dst = appendTime(dst, "maint:end", i.End)
	dst = appendLeaf(dst, "maint:reason", i.Reason)
	dst = appendOptional(dst, "maint:detail", i.Detail)
	for _, t := range i.Descriptions {
		dst = appendMaintenanceText(dst, "description", t)
	}
	if len(i.TLDs) > 0 {
		dst = appendLeaves(append(dst, "<maint:tlds>"...), "maint:tld", i.TLDs)
		dst = append(dst, "</maint:tlds>"...)
	}
	if v := i.Intervention; v != nil {
		dst = appendTruth(append(dst, "<maint:intervention>"...), "maint:connection", v.Connection)
		dst = append(appendTruth(dst, "maint:implementation", v.Implementation), "</maint:intervention>"...)
	}
	dst = appendTime(dst, "maint:crDate", i.CrDate)
	dst = appendTime(dst, "maint:upDate", i.UpDate)
	return append(dst, "</maint:item>"...)
}

func appendTruth(dst []byte, qname string, v bool) []byte {
	if v {
		return appendLeaf(dst, qname, "true")
	}
	return appendLeaf(dst, qname, "false")
}

func appendMaintenanceText(dst []byte, name string, t MaintenanceText) []byte {
	dst = append(append(dst, "<maint:"...), name...)
	if t.Lang != "" {
		dst = appendAttr(dst, "lang", t.Lang)
	}
	if t.Type != "" {
		dst = appendAttr(dst, "type", t.Type)
	}
	return appendClose(appendText(append(dst, '>'), t.Text), "maint:"+name)
}
