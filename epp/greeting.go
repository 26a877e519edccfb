package epp

import (
	"strings"

	"cadastre/epp/eppxml"
)

// language is the only language of messages.
const language = "en"

// protocolVersion is the only version of EPP (RFC 5730 section 2.4).
const protocolVersion = "1.0"

// objectURIs are the object services on offer.
func objectURIs() []string {
	return []string{eppxml.NSDomain, eppxml.NSHost, eppxml.NSContact, eppxml.NSOrg, eppxml.NSKeyRelay, eppxml.NSMaintenance}
}

// isLanguage compares as RFC 5646 section 2.1.1 has it: without regard to case.
func isLanguage(lang string) bool { return strings.EqualFold(lang, language) }

// greeting returns a greeting frame (RFC 5730 section 2.4).
func (s *Server) greeting() []byte {
	return eppxml.AppendGreeting(nil, &eppxml.Greeting{
		ServerID: s.cfg.ServerID,
		Date:     s.cfg.Now().UTC(),
		Versions: []string{protocolVersion},
		Langs:    []string{language},
		ObjURIs:  objectURIs(),
		ExtURIs:  extensionURIs(),
	})
}
