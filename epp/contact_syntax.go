package epp

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"cadastre/epp/eppxml"
	"cadastre/registry"
)

const (
	maxEmailOctets      = 254 // a path of RFC 5321 section 4.5.3.1.3 less its brackets
	maxEmailLocalOctets = 64  // RFC 5321 section 4.5.3.1.1
	// emailSpecials are the characters other than letters and digits of an atom (RFC 5322
	// section 3.2.3).
	emailSpecials = "!#$%&'*+-/=?^_`{|}~"

	// countryCodes are the officially assigned two-letter codes of ISO 3166-1.
	countryCodes = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
		"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
		"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
		"KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT " +
		"MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
		"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
		"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)

// checkCountry refuses what ISO 3166-1 has not assigned (RFC 5733 section 2.4.3).
func checkCountry(code string) error {
	if len(code) != 2 || strings.Contains(code, " ") || !strings.Contains(" "+countryCodes+" ", " "+code+" ") {
		return refuse(registry.CodeParameterSyntax, "cc", code, "the country code is not one of ISO 3166-1, in upper case")
	}
	return nil
}

// checkPostalAddress checks what the schema leaves open about an address.
func checkPostalAddress(a *eppxml.PostalAddr) error {
	if err := checkTexts("postalInfo", append([]string{a.City, a.SP, a.PC}, a.Street...)...); err != nil {
		return err
	}
	return checkCountry(a.CC)
}

// checkTexts refuses characters that say nothing to people and change how what stands
// around them is shown or stored: controls, line ends of Unicode, and those that turn the
// direction of text (RFC 8265 section 1 and Unicode TR 36 section 2.5 have the reasons).
func checkTexts(field string, texts ...string) error {
	for _, text := range texts {
		if at := strings.IndexFunc(text, isUnfitForText); at >= 0 {
			r, _ := utf8.DecodeRuneInString(text[at:])
			return refuse(registry.CodeParameterSyntax, field, "", "the text has the character U+%04X, a control or one that changes the direction of text", r)
		}
	}
	return nil
}

// isUnfitForText leaves the joiners and marks that scripts need (U+200C to U+200F).
func isUnfitForText(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\uFEFF', r == unicode.ReplacementChar:
		return true
	case r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069': // embeddings, overrides, isolates
		return true
	default:
		return r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF // no characters
	}
}

// checkPhones checks what the schema leaves open about telephone numbers. That they have at
// most 15 digits with their country code (E.164 section 6.1) follows from its 17 characters.
func checkPhones(voice, fax *eppxml.Phone) error {
	for _, p := range []struct {
		field string
		phone *eppxml.Phone
	}{{"voice", voice}, {"fax", fax}} {
		if p.phone == nil {
			continue
		}
		number := p.phone.Number
		switch {
		case number == "" && p.phone.Ext != "":
			return refuse(registry.CodeParameterSyntax, p.field, "", "an extension belongs to a telephone number")
		case strings.HasPrefix(number, "+0"):
			return refuse(registry.CodeParameterSyntax, p.field, number, "no country code begins with 0 (E.164)")
		}
		if err := checkTexts(p.field, p.phone.Ext); err != nil {
			return err
		}
	}
	return nil
}

// checkEmail admits the addresses of RFC 5322 section 3.4.1 whose local part is a dot-atom
// and whose domain is a fully qualified name.
func checkEmail(address string) error {
	wrong := func(reason string) error { return refuse(registry.CodeParameterSyntax, "email", address, "%s", reason) }
	at := strings.LastIndexByte(address, '@')
	if at < 0 || len(address) > maxEmailOctets {
		return wrong("an e-mail address is a local part, @ and a domain name, at most 254 characters (RFC 5322 section 3.4.1)")
	}
	local, domain := address[:at], address[at+1:]
	if len(local) > maxEmailLocalOctets {
		return wrong("the local part has at most 64 characters (RFC 5321 section 4.5.3.1.1)")
	}
	for atom := range strings.SplitSeq(local, ".") {
		if !isAtom(atom) {
			return wrong("the local part is made of dots between letters, digits and " + emailSpecials + " (RFC 5322 section 3.2.3)")
		}
	}
	if name, err := registry.ParseDomainName(domain); err != nil || name.Labels() < 2 || strings.HasSuffix(domain, ".") {
		return wrong("the part after the @ is not a fully qualified domain name")
	}
	return nil
}

func isAtom(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alphanumeric && strings.IndexByte(emailSpecials, c) < 0 {
			return false
		}
	}
	return s != ""
}
