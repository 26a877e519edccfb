package eppxml

func (c *HostCheck) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCheck, "host", NSHost)
	return appendVerbEnd(appendLeaves(dst, "host:name", c.Names), VerbCheck, "host")
}

func (c *HostInfo) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbInfo, "host", NSHost)
	return appendVerbEnd(appendLeaf(dst, "host:name", c.Name), VerbInfo, "host")
}

func (c *HostCreate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCreate, "host", NSHost)
	dst = appendLeaf(dst, "host:name", c.Name)
	return appendVerbEnd(appendAddrs(dst, "host:addr", c.Addrs), VerbCreate, "host")
}

func (c *HostUpdate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbUpdate, "host", NSHost)
	dst = appendLeaf(dst, "host:name", c.Name)
	dst = c.Add.append(dst, "host:add")
	dst = c.Rem.append(dst, "host:rem")
	if c.NewName != "" {
		dst = appendLeaf(append(dst, "<host:chg>"...), "host:name", c.NewName)
		dst = append(dst, "</host:chg>"...)
	}
	return appendVerbEnd(dst, VerbUpdate, "host")
}

// append appends an add or rem element, and nothing for nil.
func (a *HostAddRem) append(dst []byte, qname string) []byte {
	if a == nil {
		return dst
	}
	dst = append(append(append(dst, '<'), qname...), '>')
	dst = appendAddrs(dst, "host:addr", a.Addrs)
	return appendClose(appendStatuses(dst, "host:status", a.Statuses), qname)
}

func (c *HostDelete) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbDelete, "host", NSHost)
	return appendVerbEnd(appendLeaf(dst, "host:name", c.Name), VerbDelete, "host")
}
