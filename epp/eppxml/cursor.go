package eppxml

// decoder reads typed values from a tree. It keeps the first failure; after one every method returns zero values, so that
// decoding functions need no error handling of their own.
type decoder struct {
	t   *tree
	err *Error
}

// fail records a schema violation at node n, unless something failed before. value may be empty.
func (d *decoder) fail(n int32, value, reason string) {
	d.failKind(KindSyntax, n, value, reason)
}

func (d *decoder) failKind(kind Kind, n int32, value, reason string) {
	if d.err != nil {
		return
	}
	d.err = &Error{Kind: kind, Offset: -1, Value: clip(value, maxErrorValue), Reason: reason}
	if n != noNode {
		nd := &d.t.nodes[n]
		d.err.NS, d.err.Element, d.err.Offset = nd.ns, nd.name, int(nd.offset)
	}
}

// cursor walks the children of one element in the order of an xsd:sequence.
type cursor struct {
	d      *decoder
	parent int32
	at     int32 // the next child to read, or noNode
	ns     string
}

// sequence opens element n, which must have element-only content and no attributes. Its children are expected in the
// namespace of n itself, as all schemas of EPP have it.
func (d *decoder) sequence(n int32) cursor {
	d.noAttributes(n)
	return d.sequenceOnly(n)
}

// sequenceOnly is sequence for an element whose attributes the caller reads.
func (d *decoder) sequenceOnly(n int32) cursor {
	c := cursor{d: d, parent: n, at: noNode}
	if d.err != nil || n == noNode {
		return c
	}
	nd := &d.t.nodes[n]
	if nd.solidText {
		d.fail(n, "", "text is not allowed between the child elements")
		return c
	}
	c.at, c.ns = nd.first, nd.ns
	return c
}

// optional takes the next child if it is called name.
func (c *cursor) optional(name string) (int32, bool) {
	if c.at == noNode || c.d.err != nil {
		return noNode, false
	}
	nd := &c.d.t.nodes[c.at]
	if nd.name != name || nd.ns != c.ns {
		return noNode, false
	}
	n := c.at
	c.at = nd.next
	return n, true
}

// expect takes the next child, which must be called name.
func (c *cursor) expect(name string) int32 {
	n, ok := c.optional(name)
	if !ok && c.d.err == nil {
		c.mismatch("expected element " + name)
	}
	return n
}

// mismatch fails at the next child, or at the parent when no child is left.
func (c *cursor) mismatch(reason string) {
	if c.at == noNode {
		c.d.fail(c.parent, "", "element is incomplete: "+reason)
		return
	}
	c.d.fail(c.at, "", "unexpected element: "+reason)
}

// unbounded is the upper count of maxOccurs="unbounded"; the bounds of the frame hold nevertheless.
const unbounded = MaxTokens * 16

// many calls read for each consecutive child called name, which must number least to most.
func (c *cursor) many(name string, least, most int, read func(n int32)) {
	for i := 0; ; i++ {
		n, ok := c.optional(name)
		switch {
		case c.d.err != nil:
			return
		case !ok && i < least:
			c.mismatch("expected element " + name)
			return
		case !ok:
			return
		case i >= most:
			c.d.fail(n, "", "element given too often")
			return
		}
		read(n)
	}
}

// count says how many consecutive children called name come next, to size a slice.
func (c *cursor) count(name string) int {
	k := 0
	if c.d.err != nil {
		return 0
	}
	for n := c.at; n != noNode; n = c.d.t.nodes[n].next {
		if c.d.t.nodes[n].name != name {
			break
		}
		k++
	}
	return k
}

// any takes the next child whatever it is called.
func (c *cursor) any() int32 {
	if c.d.err != nil {
		return noNode
	}
	if c.at == noNode {
		c.mismatch("expected a child element")
		return noNode
	}
	n := c.at
	c.at = c.d.t.nodes[n].next
	return n
}

// end checks that no child is left.
func (c *cursor) end() {
	if c.at != noNode && c.d.err == nil {
		c.mismatch("unknown, out of order or given too often")
	}
}

// attributeReader hands out the attributes of one element and finds those that nobody asked for.
type attributeReader struct {
	d    *decoder
	n    int32
	read uint32 // bit i: attribute i was asked for; MaxAttributes fits
}

func (d *decoder) attributes(n int32) attributeReader { return attributeReader{d: d, n: n} }

// optional returns the value of the attribute without a namespace called name.
func (a *attributeReader) optional(name string) (string, bool) {
	if a.d.err != nil || a.n == noNode {
		return "", false
	}
	nd := &a.d.t.nodes[a.n]
	for i, at := range a.d.t.attrs[nd.attrs:nd.attrsEnd] {
		if at.name == name && at.ns == "" {
			a.read |= 1 << i
			return at.value, true
		}
	}
	return "", false
}

// required is optional for an attribute that must be there.
func (a *attributeReader) required(name string) string {
	v, ok := a.optional(name)
	if !ok {
		a.d.fail(a.n, "", "attribute "+name+" is required")
	}
	return v
}

// end refuses every attribute that was not asked for.
func (a *attributeReader) end() {
	if a.d.err != nil || a.n == noNode {
		return
	}
	nd := &a.d.t.nodes[a.n]
	for i, at := range a.d.t.attrs[nd.attrs:nd.attrsEnd] {
		if a.read&(1<<i) == 0 {
			a.d.fail(a.n, "", "attribute "+clip(at.name, maxErrorValue)+" is not allowed")
			return
		}
	}
}

// noAttributes refuses any attribute.
func (d *decoder) noAttributes(n int32) {
	a := d.attributes(n)
	a.end()
}

// simple returns the text of element n, which must have no child elements.
func (d *decoder) simple(n int32) string {
	if d.err != nil || n == noNode {
		return ""
	}
	nd := &d.t.nodes[n]
	if nd.first != noNode {
		d.fail(nd.first, "", "child elements are not allowed here")
		return ""
	}
	return nd.text
}

// empty requires that element n holds neither text nor child elements.
func (d *decoder) empty(n int32) {
	if d.err == nil && n != noNode && (d.t.nodes[n].anyText || d.t.nodes[n].first != noNode) {
		d.fail(n, "", "element must be empty")
	}
}
