package eppxml

import "strconv"

// Element is a generic, already bounded XML element: a child of <extension>, the content of an authInfo <ext>, or response
// data. It holds no reference to the frame's tree.
type Element struct {
	NS, Name string
	Attrs    []Attr
	// Text is the character data of the element itself, with references resolved; white space around child elements is
	// left out.
	Text     string
	Children []Element
	// Offset is the byte of the start tag in the frame.
	Offset int
}

// Attr is an attribute of an Element. NS is empty for an attribute without a prefix.
type Attr struct {
	NS, Name, Value string
}

// Attr returns the value of the attribute without a namespace called name.
func (e *Element) Attr(name string) (string, bool) {
	for _, a := range e.Attrs {
		if a.NS == "" && a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// Child returns the first child called name in the namespace of e, or nil.
func (e *Element) Child(name string) *Element {
	for i := range e.Children {
		if c := &e.Children[i]; c.Name == name && c.NS == e.NS {
			return c
		}
	}
	return nil
}

// element copies node n and what is below it into generic form. MaxDepth bounds the recursion.
func (t *tree) element(n int32) Element {
	nd := &t.nodes[n]
	e := Element{NS: nd.ns, Name: nd.name, Offset: int(nd.offset)}
	if nd.solidText || nd.first == noNode {
		e.Text = nd.text
	}
	if nd.attrsEnd > nd.attrs {
		e.Attrs = make([]Attr, 0, nd.attrsEnd-nd.attrs)
		for _, a := range t.attrs[nd.attrs:nd.attrsEnd] {
			e.Attrs = append(e.Attrs, Attr{NS: a.ns, Name: a.name, Value: a.value})
		}
	}
	e.Children = t.elements(n)
	return e
}

// elements copies the children of node n.
func (t *tree) elements(n int32) []Element {
	count := 0
	for c := t.nodes[n].first; c != noNode; c = t.nodes[c].next {
		count++
	}
	if count == 0 {
		return nil
	}
	out := make([]Element, 0, count)
	for c := t.nodes[n].first; c != noNode; c = t.nodes[c].next {
		out = append(out, t.element(c))
	}
	return out
}

// addElement is the inverse of element: it lets the schema cursors of this package read a generic element.
func (t *tree) addElement(parent int32, e *Element) int32 {
	n := t.add(parent, e.Offset)
	nd := &t.nodes[n]
	nd.ns, nd.name = intern(e.NS), e.Name
	nd.attrs = int32(len(t.attrs))
	for _, a := range e.Attrs {
		t.attrs = append(t.attrs, attr{ns: a.NS, name: a.Name, value: a.Value})
	}
	nd.attrsEnd = int32(len(t.attrs))
	t.addText(n, e.Text)
	for i := range e.Children {
		t.addElement(n, &e.Children[i])
	}
	t.closeNode(n)
	return n
}

// decodeElement runs a decoding function over a generic element. Extension codecs use it, so that they read their
// elements with the same cursors as the core commands.
func decodeElement(e *Element, decode func(d *decoder, n int32)) *Error {
	d := &decoder{t: &tree{}}
	decode(d, d.t.addElement(noNode, e))
	return d.err
}

// AppendElement appends a generic element with the namespace declarations that it needs. scope is the default namespace
// at that point. An element or attribute whose name is not a legal XML name is left out.
func AppendElement(dst []byte, e *Element, scope string) []byte {
	if !isNCName(e.Name) {
		return dst
	}
	dst = append(append(dst, '<'), e.Name...)
	if e.NS != scope {
		dst = appendAttr(dst, "xmlns", e.NS)
	}
	for i, a := range e.Attrs {
		switch {
		case !isNCName(a.Name):
		case a.NS == "":
			dst = appendAttr(dst, a.Name, a.Value)
		case a.NS == nsXML:
			dst = appendAttr(dst, "xml:"+a.Name, a.Value)
		default:
			prefix := "a" + strconv.Itoa(i)
			dst = appendAttr(dst, "xmlns:"+prefix, a.NS)
			dst = appendAttr(dst, prefix+":"+a.Name, a.Value)
		}
	}
	if e.Text == "" && len(e.Children) == 0 {
		return append(dst, "/>"...)
	}
	dst = appendText(append(dst, '>'), e.Text)
	for i := range e.Children {
		dst = AppendElement(dst, &e.Children[i], e.NS)
	}
	return append(append(append(dst, "</"...), e.Name...), '>')
}
