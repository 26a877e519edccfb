package eppxml

import "strconv"

// The codecs of extensions decode a generic element of a command's <extension>: one file for each extension.

// rootOf checks that node n is the element of that name, and returns it.
func (d *decoder) rootOf(n int32, ns, name string) int32 {
	if nd := &d.t.nodes[n]; nd.ns != ns || nd.name != name {
		d.fail(n, "", "expected element "+name+" of "+ns)
	}
	return n
}

// appendNumber is appendLeaf for a number.
func appendNumber(dst []byte, qname string, v uint64) []byte {
	return appendLeaf(dst, qname, strconv.FormatUint(v, 10))
}

// ParseElement reads one encoded element, such as what an Append function of an extension made, in generic form. The
// input must be well-formed and declare the prefixes that it uses.
func ParseElement(encoded []byte) (Element, error) {
	t, err := parseTree(encoded, limits{frameBytes: MaxFrame, tokens: MaxTokens})
	if err != nil {
		return Element{}, err
	}
	return t.element(0), nil
}
