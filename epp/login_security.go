package epp

import (
	"time"
	"unicode/utf8"

	"cadastre/epp/eppxml"
	"cadastre/registry"
)

const (
	// maxLongPassword bounds a password of the login security extension in characters: more
	// than any pass phrase, and nothing that a hash would be busy with.
	maxLongPassword = 256
	// certificateWarning is how long before its end a certificate is warned about; renewing
	// one takes some registrars weeks.
	certificateWarning = 30 * 24 * time.Hour
)

// credentials returns the password and the new password of a login, "" if none is wanted.
// A password stands either in the login or, where the login holds the marker, in the
// extension (RFC 8807 section 3.2).
func credentials(l *eppxml.Login, sec *eppxml.LoginSec) (password, newPassword string, err error) {
	if sec == nil {
		sec = &eppxml.LoginSec{}
	}
	if password, err = credential("pw", l.Password, sec.Password); err != nil {
		return "", "", err
	}
	if newPassword, err = credential("newPW", l.NewPassword, sec.NewPassword); err != nil {
		return "", "", err
	}
	if newPassword != "" && newPassword == password {
		return "", "", refuse(registry.CodeParameterPolicy, "newPW", "", "the new password is the old one")
	}
	return password, newPassword, nil
}

func credential(element, short, long string) (string, error) {
	switch marked := short == eppxml.LoginSecMarker; {
	case marked && long == "":
		return "", refuse(registry.CodeParameterMissing, element, "", "%s refers to loginSec:%s, which is not given (RFC 8807 section 3.2)", eppxml.LoginSecMarker, element)
	case !marked && long != "":
		return "", refuse(registry.CodeParameterPolicy, element, "", "where loginSec:%s is given, %s is %s (RFC 8807 section 3.2)", element, element, eppxml.LoginSecMarker)
	case long == eppxml.LoginSecMarker:
		return "", refuse(registry.CodeParameterPolicy, element, "", "%s cannot be a password (RFC 8807 section 3.2)", eppxml.LoginSecMarker)
	case utf8.RuneCountInString(long) > maxLongPassword:
		return "", refuse(registry.CodeParameterRange, element, "", "a password has at most %d characters", maxLongPassword)
	case marked:
		return long, nil
	default:
		return short, nil
	}
}

// loginEvents is what the login security extension adds to the answer of a login that asked
// for it: a warning while the client's certificate is about to end.
func (s *session) loginEvents(now time.Time) []extensionData {
	if !s.services.hasExtension(eppxml.NSLoginSec) || s.certNotAfter.IsZero() || s.certNotAfter.Sub(now) > certificateWarning {
		return nil
	}
	return []extensionData{{uri: eppxml.NSLoginSec, xml: eppxml.AppendLoginSecData(nil, []eppxml.LoginSecEvent{{
		Type: "certificate", Level: "warning", ExDate: s.certNotAfter, Text: "The client certificate ends soon; log in with a new one before.",
	}})}}
}
