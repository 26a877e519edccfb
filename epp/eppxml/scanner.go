package eppxml

import "strings"

// limits are the bounds that differ between requests and responses.
type limits struct {
	frameBytes, tokens int
}

// binding is one namespace declaration in scope.
type binding struct {
	prefix, ns string
}

// openTag is an element whose end tag has not come yet.
type openTag struct {
	qname    string
	node     int32
	bindings int32 // how many bindings were in scope before this element
}

// scanner reads one frame into a tree and checks that it is well-formed as it goes.
type scanner struct {
	in       string
	pos      int
	tokens   int
	limits   limits
	tree     tree
	open     []openTag
	bindings []binding
	openBuf  [MaxDepth]openTag
	bindBuf  [8]binding
}

// parseTree reads a frame with a scanner of its own.
func parseTree(frame []byte, lim limits) (*tree, *Error) {
	s := &scanner{}
	return s.parse(frame, lim)
}

// parse reads a frame. On failure the tree holds what came before the fault. The tree is valid until the next call.
func (s *scanner) parse(frame []byte, lim limits) (*tree, *Error) {
	s.reset()
	s.limits = lim
	if len(frame) > lim.frameBytes {
		return &s.tree, &Error{Kind: KindSyntax, Offset: lim.frameBytes, Reason: "frame is larger than allowed"}
	}
	if len(frame) >= 2 && (frame[0] == 0xFE && frame[1] == 0xFF || frame[0] == 0xFF && frame[1] == 0xFE) {
		return &s.tree, s.fail(0, "UTF-16 is not accepted, only UTF-8")
	}
	s.in = string(frame)
	if at := firstBadChar(s.in); at >= 0 {
		return &s.tree, s.fail(at, "not UTF-8, or a character that XML 1.0 forbids")
	}
	return &s.tree, s.document()
}

// maxKeptNodes and maxKeptAttrs bound what a scanner keeps for the next frame (about 30 KiB); no ordinary command has more.
const (
	maxKeptNodes = 256
	maxKeptAttrs = 128
)

// reset forgets the last frame, so that nothing of it stays reachable, and keeps the slices.
func (s *scanner) reset() {
	nodes, attrs := s.tree.nodes, s.tree.attrs
	clear(nodes)
	clear(attrs)
	clear(s.openBuf[:])
	clear(s.bindBuf[:])
	if cap(nodes) > maxKeptNodes {
		nodes = nil
	}
	if cap(attrs) > maxKeptAttrs {
		attrs = nil
	}
	s.tree = tree{nodes: nodes[:0], attrs: attrs[:0]}
	s.in, s.pos, s.tokens = "", 0, 0
	s.open, s.bindings = s.openBuf[:0], s.bindBuf[:0]
}

// fail makes a well-formedness error at a byte offset.
func (s *scanner) fail(offset int, reason string) *Error {
	e := &Error{Kind: KindSyntax, Offset: offset, Reason: reason}
	if len(s.open) > 0 {
		nd := &s.tree.nodes[s.open[len(s.open)-1].node]
		e.NS, e.Element = nd.ns, nd.name
	}
	return e
}

// token counts one token against the bound.
func (s *scanner) token() *Error {
	s.tokens++
	if s.tokens > s.limits.tokens {
		return s.fail(s.pos, "too many tags and runs of text")
	}
	return nil
}

func (s *scanner) has(prefix string) bool { return strings.HasPrefix(s.in[s.pos:], prefix) }

// skipSpace moves past white space and says whether there was any.
func (s *scanner) skipSpace() bool {
	start := s.pos
	for s.pos < len(s.in) && isSpace(s.in[s.pos]) {
		s.pos++
	}
	return s.pos > start
}

// document reads prolog, root element and epilog.
func (s *scanner) document() *Error {
	s.pos = len(s.in) - len(strings.TrimPrefix(s.in, "\uFEFF"))
	if s.has("<?xml") && len(s.in) > s.pos+5 && isSpace(s.in[s.pos+5]) {
		if err := s.declaration(); err != nil {
			return err
		}
	}
	if err := s.misc(); err != nil {
		return err
	}
	if s.pos >= len(s.in) {
		return s.fail(s.pos, "no root element")
	}
	if s.in[s.pos] != '<' {
		return s.fail(s.pos, "text before the root element")
	}
	if err := s.startTag(); err != nil {
		return err
	}
	for len(s.open) > 0 {
		if err := s.content(); err != nil {
			return err
		}
	}
	if err := s.misc(); err != nil {
		return err
	}
	if s.pos < len(s.in) {
		return s.fail(s.pos, "content after the root element")
	}
	return nil
}

// misc reads comments and white space outside the root element.
func (s *scanner) misc() *Error {
	for {
		s.skipSpace()
		switch {
		case s.has("<!--"):
			if err := s.comment(); err != nil {
				return err
			}
		case s.has("<!"):
			return s.fail(s.pos, "document type declarations are not accepted")
		case s.has("<?"):
			return s.fail(s.pos, "processing instructions are not accepted")
		default:
			return nil
		}
	}
}

// content reads the next piece of content of the innermost open element.
func (s *scanner) content() *Error {
	if s.pos >= len(s.in) {
		return s.fail(s.pos, "frame ends within an element")
	}
	if s.in[s.pos] != '<' {
		return s.text()
	}
	if s.pos+1 >= len(s.in) {
		return s.fail(s.pos, "frame ends within a tag")
	}
	switch s.in[s.pos+1] {
	case '/':
		return s.endTag()
	case '!':
		switch {
		case s.has("<!--"):
			return s.comment()
		case s.has("<![CDATA["):
			return s.cdata()
		}
		return s.fail(s.pos, "document type declarations are not accepted")
	case '?':
		return s.fail(s.pos, "processing instructions are not accepted")
	}
	return s.startTag()
}

// comment reads <!-- … -->, in which two hyphens must not stand together.
func (s *scanner) comment() *Error {
	if err := s.token(); err != nil {
		return err
	}
	start := s.pos
	body := s.pos + len("<!--")
	end := strings.Index(s.in[body:], "--")
	if end < 0 {
		return s.fail(start, "comment without an end")
	}
	s.pos = body + end + 2
	if s.pos >= len(s.in) || s.in[s.pos] != '>' {
		return s.fail(start, "two hyphens within a comment")
	}
	s.pos++
	return nil
}

// declaration reads the XML declaration, which must say version 1.0 and, if any, encoding UTF-8.
func (s *scanner) declaration() *Error {
	start := s.pos
	s.pos += len("<?xml")
	version, ok := s.pseudoAttribute("version")
	if !ok || version != "1.0" {
		return s.fail(start, "XML declaration must begin with version 1.0")
	}
	if enc, ok := s.pseudoAttribute("encoding"); ok && !strings.EqualFold(enc, "UTF-8") {
		return s.fail(start, "only the encoding UTF-8 is accepted")
	}
	if sa, ok := s.pseudoAttribute("standalone"); ok && sa != "yes" && sa != "no" {
		return s.fail(start, "standalone must be yes or no")
	}
	s.skipSpace()
	if !s.has("?>") {
		return s.fail(start, "malformed XML declaration")
	}
	s.pos += 2
	return nil
}

// pseudoAttribute reads one name="value" of the XML declaration; it moves nothing if the next is another or malformed.
func (s *scanner) pseudoAttribute(name string) (string, bool) {
	saved := s.pos
	if s.skipSpace() && s.has(name) {
		s.pos += len(name)
		s.skipSpace()
		if s.has("=") {
			s.pos++
			s.skipSpace()
			if s.has(`"`) || s.has("'") {
				quote := s.in[s.pos]
				if n := strings.IndexByte(s.in[s.pos+1:], quote); n >= 0 {
					v := s.in[s.pos+1 : s.pos+1+n]
					s.pos += n + 2
					return v, true
				}
			}
		}
	}
	s.pos = saved
	return "", false
}
