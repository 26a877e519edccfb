package eppxml

import "time"

// Greeting is what a server says first and in answer to a hello (RFC 5730 section 2.4). The data collection policy is
// fixed: access to all data, for administration and provisioning, for ourselves and the public, kept as long as stated.
type Greeting struct {
	// ServerID has 3 to 64 characters.
	ServerID string
	Date     time.Time
	// Versions, Langs and ObjURIs must not be empty.
	Versions, Langs, ObjURIs []string
	ExtURIs                  []string
}

// dataPolicy is the <dcp> of every greeting.
const dataPolicy = `<dcp><access><all/></access><statement><purpose><admin/><prov/></purpose>` +
	`<recipient><ours/><public/></recipient><retention><stated/></retention></statement></dcp>`

// AppendGreeting appends a greeting frame, without the length header.
func AppendGreeting(dst []byte, g *Greeting) []byte {
	dst = append(dst, frameOpen+"<greeting>"...)
	dst = appendLeaf(dst, "svID", g.ServerID)
	dst = appendTime(dst, "svDate", g.Date)
	dst = append(dst, "<svcMenu>"...)
	for _, v := range g.Versions {
		dst = appendLeaf(dst, "version", v)
	}
	for _, l := range g.Langs {
		dst = appendLeaf(dst, "lang", l)
	}
	dst = appendURIs(dst, g.ObjURIs, g.ExtURIs)
	return append(dst, "</svcMenu>"+dataPolicy+"</greeting>"+frameClose...)
}

// appendURIs appends the namespaces of objects and extensions, as greeting and login list them.
func appendURIs(dst []byte, objects, extensions []string) []byte {
	for _, u := range objects {
		dst = appendLeaf(dst, "objURI", u)
	}
	if len(extensions) == 0 {
		return dst
	}
	dst = append(dst, "<svcExtension>"...)
	for _, u := range extensions {
		dst = appendLeaf(dst, "extURI", u)
	}
	return append(dst, "</svcExtension>"...)
}
