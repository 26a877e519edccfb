package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func newMaintenanceCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:   "maintenance",
		Short: "Announce maintenance to registrars",
		Long: `Announces planned or urgent work on the registry's systems. Every registrar that it concerns finds
messages in its queue when it is announced, changed or cancelled, before it begins and when it has ended, and can
ask for it (RFC 9167).`,
		Example: "  cadastre maintenance list --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newMaintenanceCreateCommand(a, flags), newMaintenanceUpdateCommand(a, flags), newMaintenanceCancelCommand(a, flags),
		newMaintenanceListCommand(a, flags), newMaintenanceShowCommand(a, flags))
	return cmd
}

// maintenanceFlags are what is said of a maintenance.
type maintenanceFlags struct {
	name, environment, environmentName      string
	start, end, detail, lang, reason        string
	types, systems, descriptions, htmlTexts []string
	tlds                                    []string
	emergency, reconnect, changePrograms    bool
	courtesy                                time.Duration
}

func (m *maintenanceFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.name, "name", "", "name for people")
	f.StringVar(&m.start, "start", "", "when it begins, such as 2027-03-01T02:00:00Z")
	f.StringVar(&m.end, "end", "", "when it ends")
	f.StringArrayVar(&m.systems, "system", nil, "system and impact, such as EPP=full or EPP@epp.registry.example=partial; none, partial or full (repeatable)")
	f.StringVar(&m.environment, "environment", "production", strings.Join(registry.MaintenanceEnvironments(), ", "))
	f.StringVar(&m.environmentName, "environment-name", "", "name of a custom environment")
	f.BoolVar(&m.emergency, "emergency", false, "it is urgent rather than planned")
	f.StringSliceVar(&m.tlds, "tld", nil, "TLD that it concerns (repeatable; default: all)")
	f.StringArrayVar(&m.types, "type", nil, "kind of work, for people (repeatable)")
	f.StringArrayVar(&m.descriptions, "description", nil, "what happens, plain text (repeatable)")
	f.StringArrayVar(&m.htmlTexts, "description-html", nil, "what happens, HTML (repeatable)")
	f.StringVar(&m.lang, "lang", "en", "language of types and descriptions")
	f.StringVar(&m.detail, "detail", "", "address of a page about it")
	f.BoolVar(&m.reconnect, "reconnect", false, "registrars must connect anew afterwards")
	f.BoolVar(&m.changePrograms, "change-programs", false, "registrars must change their programs")
	f.DurationVar(&m.courtesy, "courtesy", 24*time.Hour, "remind registrars so long before the start, in whole hours; 0: not")
	f.StringVar(&m.reason, "reason", "", "why; kept in the history")
}

// apply puts what the flags say into the item; given says which flags to heed.
func (m *maintenanceFlags) apply(item *fsmpb.MaintenanceItem, given func(flag string) bool) error {
	for _, text := range []struct {
		flag  string
		value string
		field *string
	}{
		{"name", m.name, &item.Name}, {"environment", m.environment, &item.Environment},
		{"environment-name", m.environmentName, &item.EnvironmentName}, {"detail", m.detail, &item.Detail},
	} {
		if given(text.flag) {
			*text.field = text.value
		}
	}
	for _, instant := range []struct {
		flag, value string
		field       *int64
	}{{"start", m.start, &item.StartMs}, {"end", m.end, &item.EndMs}} {
		if !given(instant.flag) {
			continue
		}
		at, err := parseTime(instant.value)
		if err != nil {
			return &usageError{fmt.Sprintf("--%s: %v", instant.flag, err)}
		}
		*instant.field = at.UnixMilli()
	}
	if given("emergency") {
		item.Emergency = m.emergency
	}
	if given("tld") {
		item.Tlds = m.tlds
	}
	if given("type") {
		item.Types = maintenanceTexts(m.types, m.lang, false)
	}
	if given("description") || given("description-html") {
		item.Descriptions = append(maintenanceTexts(m.descriptions, m.lang, false), maintenanceTexts(m.htmlTexts, m.lang, true)...)
	}
	if given("reconnect") || given("change-programs") {
		item.Intervention = &fsmpb.MaintenanceIntervention{Connection: m.reconnect, Implementation: m.changePrograms}
	}
	if given("courtesy") {
		hours := m.courtesy.Hours()
		if hours < 0 || hours != math.Trunc(hours) || hours > math.MaxUint16 {
			return &usageError{"--courtesy: want whole hours, such as 24h"}
		}
		item.CourtesyHours = uint32(hours)
	}
	if given("system") {
		return m.applySystems(item)
	}
	return nil
}

// applySystems reads NAME=IMPACT and NAME@HOST=IMPACT.
func (m *maintenanceFlags) applySystems(item *fsmpb.MaintenanceItem) error {
	item.Systems = nil
	for _, text := range m.systems {
		what, impact, found := strings.Cut(text, "=")
		name, host, _ := strings.Cut(what, "@")
		if !found || name == "" || !slices.Contains(registry.MaintenanceImpacts(), impact) {
			return &usageError{fmt.Sprintf("--system %s: want NAME=IMPACT or NAME@HOST=IMPACT, the impact being %s", text, strings.Join(registry.MaintenanceImpacts(), ", "))}
		}
		item.Systems = append(item.Systems, &fsmpb.MaintenanceSystem{Name: name, Host: host, Impact: impact})
	}
	return nil
}

func maintenanceTexts(texts []string, lang string, html bool) []*fsmpb.MaintenanceText {
	var all []*fsmpb.MaintenanceText
	for _, text := range texts {
		all = append(all, &fsmpb.MaintenanceText{Text: text, Lang: lang, Html: html})
	}
	return all
}
