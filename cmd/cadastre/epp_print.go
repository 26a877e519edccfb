package main

import (
	"fmt"
	"strings"

	"cadastre/epp/eppxml"
)

// elementDocument is XML for machines that prefer JSON.
type elementDocument struct {
	Name       string            `json:"name"`
	Namespace  string            `json:"namespace,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Text       string            `json:"text,omitempty"`
	Children   []elementDocument `json:"children,omitempty"`
}

func elementDocuments(elements []eppxml.Element, scope string) []elementDocument {
	documents := []elementDocument{}
	for i := range elements {
		e := &elements[i]
		d := elementDocument{Name: e.Name, Text: e.Text}
		if e.NS != scope {
			d.Namespace = e.NS
		}
		for _, attribute := range e.Attrs {
			if d.Attributes == nil {
				d.Attributes = map[string]string{}
			}
			d.Attributes[attribute.Name] = attribute.Value
		}
		if len(e.Children) > 0 {
			d.Children = elementDocuments(e.Children, e.NS)
		}
		documents = append(documents, d)
	}
	return documents
}

// printResponse shows an answer: as it came, as JSON, or for people.
func (a *app) printResponse(flags *eppFlags, r *eppxml.ParsedResponse, frame []byte) error {
	if flags.xml {
		_, err := fmt.Fprintf(a.stdout, "%s\n", frame)
		return err
	}
	result := r.Results[0]
	document := map[string]any{
		"code": result.Code, "message": result.Msg, "reasons": append([]string{}, result.Reasons...),
		"data": elementDocuments(r.ResData, ""), "extension": elementDocuments(r.Extensions, ""),
		"cltrid": r.ClTRID, "svtrid": r.SvTRID,
	}
	if r.MsgQ != nil {
		queue := map[string]any{"count": r.MsgQ.Count, "first": r.MsgQ.ID}
		if r.MsgQ.Msg != "" {
			queue["at"], queue["text"] = r.MsgQ.Date, r.MsgQ.Msg
		}
		document["messages"] = queue
	}
	var b strings.Builder
	for _, result := range r.Results {
		fmt.Fprintf(&b, "%d %s\n", result.Code, result.Msg)
		for i, reason := range result.Reasons {
			b.WriteString("  " + reason)
			if i < len(result.Values) {
				fmt.Fprintf(&b, " (%s %q)", result.Values[i].Name, result.Values[i].Text)
			}
			b.WriteString("\n")
		}
	}
	if r.MsgQ != nil {
		fmt.Fprintf(&b, "messages waiting: %d, first %s %s\n", r.MsgQ.Count, r.MsgQ.ID, r.MsgQ.Msg)
	}
	for _, elements := range [][]eppxml.Element{r.ResData, r.Extensions} {
		for i := range elements {
			writeElements(&b, elements[i].Children, 0)
		}
	}
	fmt.Fprintf(&b, "svTRID: %s\n", r.SvTRID)
	return a.result(document, b.String())
}

// writeElements lists elements as "name: text", with attributes in brackets and children
// below.
func writeElements(b *strings.Builder, elements []eppxml.Element, depth int) {
	for i := range elements {
		e := &elements[i]
		b.WriteString(strings.Repeat("  ", depth) + e.Name)
		var attributes []string
		for _, attribute := range e.Attrs {
			attributes = append(attributes, attribute.Name+"="+attribute.Value)
		}
		if len(attributes) > 0 {
			fmt.Fprintf(b, " [%s]", strings.Join(attributes, " "))
		}
		if e.Text != "" {
			b.WriteString(": " + e.Text)
		}
		b.WriteString("\n")
		writeElements(b, e.Children, depth+1)
	}
}
