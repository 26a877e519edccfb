package fsm

import (
	"slices"
	"strings"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// Bounds of one maintenance: with all of them reached it fits a frame of EPP.
const (
	maxMaintenanceTypes        = 5
	maxMaintenanceSystems      = 20
	maxMaintenanceDescriptions = 5
	maxMaintenanceTLDs         = 100
	maxDescriptionOctets       = 4000
	maxMaintenanceLength       = 366 * 24 * time.Hour // a longer one is a mistyped year
	maxCourtesyHours           = 90 * 24
)

// maintenance checks the commands about maintenances.
func (k *checker) maintenance(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_MaintenanceCreate:
		k.roid(body.MaintenanceCreate.GetRoid())
		k.maintenanceItem(body.MaintenanceCreate.GetItem())
	case *fsmpb.Command_MaintenanceUpdate:
		k.text("id", body.MaintenanceUpdate.GetId())
		k.maintenanceItem(body.MaintenanceUpdate.GetItem())
	case *fsmpb.Command_MaintenanceCancel:
		k.text("id", body.MaintenanceCancel.GetId())
	}
}

func (k *checker) maintenanceItem(item *fsmpb.MaintenanceItem) {
	k.require(item != nil, "item", "", "a maintenance says what is done")
	k.require(len(item.ProtoReflect().GetUnknown()) == 0, "item", "", "the maintenance holds fields that this version does not know")
	k.token("name", item.GetName(), false)
	k.count("type", len(item.GetTypes()), maxMaintenanceTypes)
	for _, t := range item.GetTypes() {
		k.maintenanceText("type", t, maxTextChars)
		k.require(!t.GetHtml(), "type", "", "a type is plain text")
	}
	k.count("system", len(item.GetSystems()), maxMaintenanceSystems)
	k.require(len(item.GetSystems()) > 0, "system", "", "a maintenance names a system at least (RFC 9167 section 2.3)")
	for _, s := range item.GetSystems() {
		k.token("system", s.GetName(), true)
		k.token("host", s.GetHost(), false)
		k.require(slices.Contains(registry.MaintenanceImpacts(), s.GetImpact()), "impact", s.GetImpact(), "an impact is none, partial or full")
	}
	k.require(slices.Contains(registry.MaintenanceEnvironments(), item.GetEnvironment()), "environment", item.GetEnvironment(), "an environment is production, ote, staging, dev or custom")
	k.token("environment", item.GetEnvironmentName(), item.GetEnvironment() == "custom")
	k.instant("start", item.GetStartMs())
	k.instant("end", item.GetEndMs())
	length := item.GetEndMs() - item.GetStartMs()
	k.require(length > 0 && length <= maxMaintenanceLength.Milliseconds(), "end", "", "a maintenance ends after it starts, within a year")
	k.token("detail", item.GetDetail(), false)
	k.require(!strings.ContainsAny(item.GetDetail(), " <>\"{}|\\^`%#") && (item.GetDetail() == "" || strings.HasPrefix(item.GetDetail(), "https://") || strings.HasPrefix(item.GetDetail(), "http://")),
		"detail", item.GetDetail(), "the detail is an http or https URI without escapes")
	k.count("description", len(item.GetDescriptions()), maxMaintenanceDescriptions)
	for _, d := range item.GetDescriptions() {
		k.maintenanceText("description", d, maxDescriptionOctets)
	}
	k.count("tld", len(item.GetTlds()), maxMaintenanceTLDs)
	for i, tld := range item.GetTlds() {
		k.name("tld", tld)
		k.require(!slices.Contains(item.GetTlds()[:i], tld), "tld", tld, "a TLD is named once")
	}
	k.require(item.GetCourtesyHours() <= maxCourtesyHours, "courtesy_hours", "", "registrars are reminded at most %d hours before", maxCourtesyHours)
}

// token requires a line of text without control characters or white space at its ends.
func (k *checker) token(field, value string, required bool) {
	k.require(!required || value != "", field, "", "a value is required")
	k.require(len(value) <= maxTextChars, field, "", "the text is longer than %d octets", maxTextChars)
	k.require(value == strings.Join(strings.Fields(value), " ") && isXMLText(value), field, "", "the text holds control characters, or white space that EPP does not keep")
}

func (k *checker) maintenanceText(field string, t *fsmpb.MaintenanceText, most int) {
	k.require(t.GetText() != "" && len(t.GetText()) <= most, field, "", "a text has 1 to %d octets", most)
	k.require(isXMLText(t.GetText()), field, "", "the text holds control characters")
	k.require(t.GetLang() == "" || isLanguageTag(t.GetLang()), "lang", t.GetLang(), "a language is a tag such as en or pt-BR (RFC 5646)")
}

// isXMLText says whether every character can be written in XML 1.0 and is none of control but
// tabs and ends of lines.
func isXMLText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff
	})
}

// isLanguageTag is xsd:language: [a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*.
func isLanguageTag(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if len(part) < 1 || len(part) > 8 {
			return false
		}
		for _, c := range []byte(part) {
			letter, digit := c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9'
			if !letter && (i == 0 || !digit) {
				return false
			}
		}
	}
	return true
}
