package eppxml

// noNode stands for the absence of a node.
const noNode int32 = -1

// node is one element of a parsed frame. Nodes lie in one slice in document order and refer to each other by index, so that
// a frame costs a few allocations however many elements it has.
type node struct {
	ns, name    string
	text        string
	first, last int32 // children
	next        int32 // next sibling
	attrs       int32 // index of the first attribute in tree.attrs
	attrsEnd    int32
	offset      int32
	long        int32 // index in tree.long while text is put together from several runs, or noNode
	open        bool  // the end tag has not been seen
	anyText     bool  // text of any kind, white space included
	solidText   bool  // text other than white space
}

// attr is one attribute that is neither a namespace declaration nor an xsi hint.
type attr struct {
	ns, name, value string
	prefix          string // only while the start tag is read
}

// tree is a parsed frame. The strings in it are parts of one copy of the frame wherever no reference had to be resolved.
type tree struct {
	nodes []node
	attrs []attr
	long  [][]byte
}

// initialNodes and initialAttrs fit an ordinary domain:create, so that growing is rare.
const (
	initialNodes = 48
	initialAttrs = 24
)

// add appends a node below parent (noNode for the root) and returns its index.
func (t *tree) add(parent int32, offset int) int32 {
	if cap(t.nodes) == 0 {
		t.nodes = make([]node, 0, initialNodes)
	}
	n := int32(len(t.nodes))
	if len(t.nodes) < cap(t.nodes) {
		t.nodes = t.nodes[:n+1]
	} else {
		t.nodes = append(t.nodes, node{})
	}
	nd := &t.nodes[n] // zero: fresh, or cleared by scanner.reset
	nd.first, nd.last, nd.next, nd.long, nd.offset, nd.open = noNode, noNode, noNode, noNode, int32(offset), true
	if parent != noNode {
		p := &t.nodes[parent]
		if p.first == noNode {
			p.first = n
		} else {
			t.nodes[p.last].next = n
		}
		p.last = n
	}
	return n
}

// textBytes returns how many bytes of text node n holds so far.
func (t *tree) textBytes(n int32) int {
	if l := t.nodes[n].long; l != noNode {
		return len(t.long[l])
	}
	return len(t.nodes[n].text)
}

// addText appends a run of decoded text to node n. A blank run between child elements only leaves its mark.
func (t *tree) addText(n int32, s string) {
	if s == "" {
		return
	}
	nd := &t.nodes[n]
	nd.anyText = true
	blank := isBlank(s)
	if blank && nd.first != noNode {
		return
	}
	if !blank {
		nd.solidText = true
	}
	switch {
	case nd.long != noNode:
		t.long[nd.long] = append(t.long[nd.long], s...)
	case nd.text == "":
		nd.text = s
	default:
		buf := make([]byte, 0, 2*(len(nd.text)+len(s)))
		buf = append(append(buf, nd.text...), s...)
		nd.long = int32(len(t.long))
		t.long = append(t.long, buf)
	}
}

// closeNode settles the text of node n at its end tag.
func (t *tree) closeNode(n int32) {
	nd := &t.nodes[n]
	nd.open = false
	if nd.long != noNode {
		nd.text = string(t.long[nd.long])
		t.long[nd.long] = nil
		nd.long = noNode
	}
}

// child returns the first child of n with the given name, or noNode. n may be noNode.
func (t *tree) child(n int32, ns, name string) int32 {
	if n == noNode {
		return noNode
	}
	for c := t.nodes[n].first; c != noNode; c = t.nodes[c].next {
		if t.nodes[c].name == name && t.nodes[c].ns == ns {
			return c
		}
	}
	return noNode
}
