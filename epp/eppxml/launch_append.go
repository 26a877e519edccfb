package eppxml

// LaunchChkData is <launch:chkData>: for which names there are trademark claims.
type LaunchChkData struct {
	// Phase is nil in the answer to a trademark check.
	Phase *LaunchPhase
	Names []LaunchClaim
}

// LaunchClaim says whether there are claims to a name.
type LaunchClaim struct {
	Name   string
	Exists bool
}

// LaunchInfData is <launch:infData>: how an application stands, or in which phase a name was registered.
type LaunchInfData struct {
	Phase LaunchPhase
	// ApplicationID and Status are empty for a registration.
	ApplicationID, Status string
	// StatusName names a custom status.
	StatusName string
	// Marks are <mark:mark> elements.
	Marks [][]byte
}

// AppendLaunchCheck appends <launch:check>.
func AppendLaunchCheck(dst []byte, c *LaunchCheck) []byte {
	dst = appendAttr(append(dst, "<launch:check"...), "xmlns:launch", NSLaunch)
	dst = append(appendAttr(dst, "type", c.Form), '>')
	if c.Phase != nil {
		dst = c.Phase.append(dst)
	}
	return appendClose(dst, "launch:check")
}

// AppendLaunchInfo appends <launch:info>.
func AppendLaunchInfo(dst []byte, i *LaunchInfo) []byte {
	dst = appendAttr(append(dst, "<launch:info"...), "xmlns:launch", NSLaunch)
	dst = i.Phase.append(append(appendBool(dst, "includeMark", i.IncludeMark), '>'))
	if i.ApplicationID != nil {
		dst = appendLeaf(dst, "launch:applicationID", *i.ApplicationID)
	}
	return appendClose(dst, "launch:info")
}

// AppendLaunchUpdate appends <launch:update>.
func AppendLaunchUpdate(dst []byte, i *LaunchID) []byte { return i.append(dst, "update") }

// AppendLaunchDelete appends <launch:delete>.
func AppendLaunchDelete(dst []byte, i *LaunchID) []byte { return i.append(dst, "delete") }

// AppendLaunchCreData appends <launch:creData>.
func AppendLaunchCreData(dst []byte, i *LaunchID) []byte { return i.append(dst, "creData") }

func (i *LaunchID) append(dst []byte, name string) []byte {
	dst = i.Phase.append(appendObjectOpen(dst, "launch", NSLaunch, name))
	return appendClose(appendLeaf(dst, "launch:applicationID", i.ApplicationID), "launch:"+name)
}

func (p *LaunchPhase) append(dst []byte) []byte {
	dst = append(dst, "<launch:phase"...)
	if p.Name != "" {
		dst = appendAttr(dst, "name", p.Name)
	}
	return appendClose(appendText(append(dst, '>'), p.Type), "launch:phase")
}

// AppendLaunchCreate appends <launch:create>. Marks and signed marks are written as they are.
func AppendLaunchCreate(dst []byte, c *LaunchCreate) []byte {
	dst = appendAttr(append(dst, "<launch:create"...), "xmlns:launch", NSLaunch)
	if c.Type != "" {
		dst = appendAttr(dst, "type", c.Type)
	}
	dst = c.Phase.append(append(dst, '>'))
	for i := range c.Codes {
		code := &c.Codes[i]
		dst = append(dst, "<launch:codeMark>"...)
		if code.Code != "" {
			dst = appendValidated(dst, "launch:code", code.Code, code.ValidatorID)
		}
		dst = appendClose(append(dst, code.Mark...), "launch:codeMark")
	}
	for _, signed := range c.Signed {
		dst = append(dst, signed...)
	}
	for i := range c.Notices {
		notice := &c.Notices[i]
		dst = appendValidated(append(dst, "<launch:notice>"...), "launch:noticeID", notice.ID, notice.ValidatorID)
		dst = appendTime(dst, "launch:notAfter", notice.NotAfter)
		dst = appendClose(appendTime(dst, "launch:acceptedDate", notice.AcceptedDate), "launch:notice")
	}
	return appendClose(dst, "launch:create")
}

func appendValidated(dst []byte, qname, value, validatorID string) []byte {
	dst = append(append(dst, '<'), qname...)
	if validatorID != "" {
		dst = appendAttr(dst, "validatorID", validatorID)
	}
	return appendClose(appendText(append(dst, '>'), value), qname)
}

// AppendLaunchChkData appends <launch:chkData>; names must not be empty.
func AppendLaunchChkData(dst []byte, data *LaunchChkData) []byte {
	dst = appendObjectOpen(dst, "launch", NSLaunch, "chkData")
	if data.Phase != nil {
		dst = data.Phase.append(dst)
	}
	for _, claim := range data.Names {
		dst = append(appendBool(append(dst, "<launch:cd><launch:name"...), "exists", claim.Exists), '>')
		dst = append(appendText(dst, claim.Name), "</launch:name></launch:cd>"...)
	}
	return appendClose(dst, "launch:chkData")
}

// AppendLaunchInfData appends <launch:infData>. Marks are written as they are.
func AppendLaunchInfData(dst []byte, i *LaunchInfData) []byte {
	dst = i.Phase.append(appendObjectOpen(dst, "launch", NSLaunch, "infData"))
	dst = appendOptional(dst, "launch:applicationID", i.ApplicationID)
	if i.Status != "" {
		dst = appendAttr(append(dst, "<launch:status"...), "s", i.Status)
		if i.StatusName != "" {
			dst = appendAttr(dst, "name", i.StatusName)
		}
		dst = append(dst, "/>"...)
	}
	for _, mark := range i.Marks {
		dst = append(dst, mark...)
	}
	return appendClose(dst, "launch:infData")
}
