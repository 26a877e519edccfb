package eppxml

import (
	"strings"
	"unicode/utf8"
)

// name reads a qualified name at the current position and splits it. A name has at most one colon and both its parts are
// names of their own (Namespaces in XML section 4).
func (s *scanner) name() (prefix, local string, err *Error) {
	in, start := s.in, s.pos
	i, colon, partStart := start, -1, start
	for {
		for i < len(in) && in[i]-'a' < 26 { // most names are lower case
			i++
		}
		if i >= len(in) {
			break
		}
		c := in[i]
		if isNameByte(c) {
			if i == partStart && !isNameStartByte(c) {
				return "", "", s.fail(i, "a name must not start with this character")
			}
			i++
			continue
		}
		if c == ':' {
			if colon >= 0 || i == partStart {
				return "", "", s.fail(i, "misplaced colon in a name")
			}
			colon, partStart = i, i+1
			i++
			continue
		}
		if c < utf8.RuneSelf {
			break
		}
		r, size := utf8.DecodeRuneInString(in[i:])
		if !isNameRune(r) || i == partStart && !isNameStartRune(r) {
			return "", "", s.fail(i, "character not allowed in a name")
		}
		i += size
	}
	if i == partStart {
		return "", "", s.fail(i, "a name was expected")
	}
	if i-start > MaxNameBytes {
		return "", "", s.fail(start, "name too long")
	}
	s.pos = i
	if colon < 0 {
		return "", in[start:i], nil
	}
	return in[start:colon], in[partStart:i], nil
}

// startTag reads a start tag or an empty-element tag, and adds its node.
func (s *scanner) startTag() *Error {
	if err := s.token(); err != nil {
		return err
	}
	start := s.pos
	if len(s.open) >= MaxDepth {
		return s.fail(start, "elements are nested too deeply")
	}
	s.pos++
	nameStart := s.pos
	prefix, local, err := s.name()
	if err != nil {
		return err
	}
	qname := s.in[nameStart:s.pos]
	outer := len(s.bindings)
	firstAttr := len(s.tree.attrs)
	empty := false
	if s.pos < len(s.in) && s.in[s.pos] == '>' {
		s.pos++
	} else if empty, err = s.attributes(outer); err != nil {
		return err
	}
	ns, ok := s.resolve(prefix)
	if !ok {
		return s.fail(start, "undeclared namespace prefix")
	}
	parent := noNode
	if len(s.open) > 0 {
		parent = s.open[len(s.open)-1].node
	}
	n := s.tree.add(parent, start)
	nd := &s.tree.nodes[n]
	nd.ns, nd.name = ns, local
	s.open = append(s.open, openTag{qname: qname, node: n, bindings: int32(outer)})
	if len(s.tree.attrs) > firstAttr {
		if err := s.settleAttributes(firstAttr); err != nil {
			return err
		}
	}
	nd.attrs, nd.attrsEnd = int32(firstAttr), int32(len(s.tree.attrs))
	if empty {
		s.closeTag()
	}
	return nil
}

// closeTag ends the innermost element.
func (s *scanner) closeTag() {
	top := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	s.bindings = s.bindings[:top.bindings]
	s.tree.closeNode(top.node)
}

// endTag reads an end tag, which must match the innermost start tag.
func (s *scanner) endTag() *Error {
	if err := s.token(); err != nil {
		return err
	}
	start := s.pos
	qname := s.open[len(s.open)-1].qname
	rest := s.in[s.pos+2:]
	if !strings.HasPrefix(rest, qname) {
		return s.fail(start, "end tag does not match the start tag")
	}
	s.pos += 2 + len(qname)
	s.skipSpace()
	if s.pos >= len(s.in) || s.in[s.pos] != '>' {
		return s.fail(start, "end tag does not match the start tag")
	}
	s.pos++
	s.closeTag()
	return nil
}

// attributes reads what follows a tag name up to and including the closing bracket. outer is the number of bindings that
// the parent had.
func (s *scanner) attributes(outer int) (empty bool, err *Error) {
	for count := 0; ; count++ {
		spaced := s.skipSpace()
		if s.pos >= len(s.in) {
			return false, s.fail(s.pos, "frame ends within a tag")
		}
		switch {
		case s.in[s.pos] == '>':
			s.pos++
			return false, nil
		case s.has("/>"):
			s.pos += 2
			return true, nil
		case !spaced:
			return false, s.fail(s.pos, "white space was expected before an attribute")
		case count >= MaxAttributes:
			return false, s.fail(s.pos, "too many attributes")
		}
		if err := s.attribute(outer); err != nil {
			return false, err
		}
	}
}

// attribute reads one attribute or namespace declaration.
func (s *scanner) attribute(outer int) *Error {
	start := s.pos
	prefix, local, err := s.name()
	if err != nil {
		return err
	}
	s.skipSpace()
	if !s.has("=") {
		return s.fail(s.pos, "an attribute needs a value")
	}
	s.pos++
	s.skipSpace()
	if s.pos >= len(s.in) || s.in[s.pos] != '"' && s.in[s.pos] != '\'' {
		return s.fail(s.pos, "an attribute value must be quoted")
	}
	quote := s.in[s.pos]
	s.pos++
	n := strings.IndexByte(s.in[s.pos:], quote)
	if n < 0 {
		return s.fail(start, "attribute value without an end")
	}
	if n > MaxAttributeBytes {
		return s.fail(start, "attribute value too long")
	}
	value, err := s.attributeValue(s.in[s.pos : s.pos+n])
	if err != nil {
		return err
	}
	s.pos += n + 1
	if prefix == "xmlns" {
		return s.declare(start, outer, local, value)
	}
	if prefix == "" && local == "xmlns" {
		return s.declare(start, outer, "", value)
	}
	if cap(s.tree.attrs) == 0 {
		s.tree.attrs = make([]attr, 0, initialAttrs)
	}
	s.tree.attrs = append(s.tree.attrs, attr{prefix: prefix, name: local, value: value})
	return nil
}

// declare adds a namespace binding under the rules of Namespaces in XML 1.0 section 3.
func (s *scanner) declare(at, outer int, prefix, ns string) *Error {
	switch {
	case prefix == "xmlns":
		return s.fail(at, "the prefix xmlns must not be declared")
	case (prefix == "xml") != (ns == nsXML):
		return s.fail(at, "the prefix xml and its namespace belong together")
	case ns == nsXMLNS:
		return s.fail(at, "the xmlns namespace must not be declared")
	case prefix != "" && ns == "":
		return s.fail(at, "a prefix must not be bound to no namespace")
	case len(s.bindings) >= MaxNamespaces:
		return s.fail(at, "too many namespaces in scope")
	}
	for _, b := range s.bindings[outer:] {
		if b.prefix == prefix {
			return s.fail(at, "namespace prefix declared twice")
		}
	}
	s.bindings = append(s.bindings, binding{prefix: prefix, ns: intern(ns)})
	return nil
}

// intern gives the well-known namespaces one address each, which makes later comparisons cheap.
func intern(ns string) string {
	switch ns {
	case NSEPP:
		return NSEPP
	case NSDomain:
		return NSDomain
	case NSHost:
		return NSHost
	case NSContact:
		return NSContact
	}
	return ns
}

// resolve finds the namespace that a prefix is bound to. The empty prefix is always bound.
func (s *scanner) resolve(prefix string) (string, bool) {
	for i := len(s.bindings) - 1; i >= 0; i-- {
		if s.bindings[i].prefix == prefix {
			return s.bindings[i].ns, true
		}
	}
	if prefix == "xml" {
		return nsXML, true
	}
	return "", prefix == ""
}

// settleAttributes resolves the prefixes of the attributes from index first on, refuses duplicates, and takes out the
// hints that a schema instance may give on any element (XML Schema part 1 section 2.6).
func (s *scanner) settleAttributes(first int) *Error {
	attrs := s.tree.attrs[first:]
	for i := range attrs {
		a := &attrs[i]
		if a.prefix != "" {
			ns, ok := s.resolve(a.prefix)
			if !ok {
				return s.fail(s.pos, "undeclared namespace prefix")
			}
			a.ns = ns
		}
		for j := range attrs[:i] {
			if attrs[j].name == a.name && attrs[j].ns == a.ns {
				return s.fail(s.pos, "attribute given twice")
			}
		}
	}
	kept := attrs[:0]
	for _, a := range attrs {
		if a.ns == nsXSI {
			if a.name != "schemaLocation" && a.name != "noNamespaceSchemaLocation" {
				return s.fail(s.pos, "xsi attributes other than schema locations are not accepted")
			}
			continue
		}
		kept = append(kept, a)
	}
	s.tree.attrs = s.tree.attrs[:first+len(kept)]
	return nil
}
