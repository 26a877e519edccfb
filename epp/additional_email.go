package epp

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// additionalEmail returns what a create or update says of the second e-mail address, nil if
// it says nothing (RFC 9873).
func additionalEmail(given *eppxml.AddlEmail) (*fsmpb.AdditionalEmail, error) {
	wrong := func(code int, reason string) error {
		return &refusal{code: code, value: eppxml.Value{NS: eppxml.NSAddlEmail, Name: "email", Text: given.Address}, reason: reason}
	}
	switch {
	case given == nil:
		return nil, nil
	case given.Address == "" && given.Primary:
		return nil, wrong(codeParameterPolicy, "an address that is not there cannot be the primary one")
	case given.Address != "":
		if reason := wrongInEmail(given.Address); reason != "" {
			return nil, wrong(codeParameterSyntax, reason)
		}
	}
	return &fsmpb.AdditionalEmail{Address: given.Address, Primary: given.Primary}, nil
}

// wrongInEmail says what is wrong with an e-mail address, "" if nothing is. It admits more
// than checkEmail does: as RFC 6531 section 3.3 has it, characters beyond ASCII in the local
// part and in the labels of the domain.
func wrongInEmail(address string) string {
	at := strings.LastIndexByte(address, '@')
	switch {
	case at < 0 || len(address) > maxEmailOctets:
		return "an e-mail address is a local part, @ and a domain name, at most 254 octets (RFC 6531 section 3.3)"
	case at > maxEmailLocalOctets:
		return "the local part has at most 64 octets (RFC 6531 section 3.3)"
	}
	domain, err := idna.Registration.ToASCII(address[at+1:])
	if err != nil {
		return "the part after the @ is not an internationalised domain name (RFC 5890)"
	}
	err = checkEmail(strings.Map(plainRune, address[:at]) + "@" + domain)
	if known, found := errors.AsType[*registry.Error](err); found {
		return known.Reason
	}
	return ""
}

// plainRune puts a letter in the place of characters beyond ASCII that a local part may have
// (RFC 6532 section 3.2), and a space in that of those that it may not.
func plainRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsGraphic(r):
		return ' '
	default:
		return 'x'
	}
}

// shownAdditionalEmail is what an info says of the second e-mail address. That there is none
// is said to those only that use the extension.
func (c *call) shownAdditionalEmail(contact *registry.Contact) []extensionData {
	email := contact.AdditionalEmail
	if email.Address == "" && (c.services == nil || !c.services.hasExtension(eppxml.NSAddlEmail)) {
		return nil
	}
	return []extensionData{{uri: eppxml.NSAddlEmail, xml: eppxml.AppendAddlEmail(nil, &eppxml.AddlEmail{Address: email.Address, Primary: email.Primary})}}
}
