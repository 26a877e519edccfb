package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// Bounds of what operators announce, so that messages stay readable and lists short.
const (
	maxMaintenances          = 200   // kept at a time; a list of them all is a few dozen KiB
	maxMaintenanceRevisions  = 50    // every one is a message to every registrar
	maxMaintenanceRecipients = 10000 // far more than there are accredited registrars; one short row each
)

// maintenanceFromProto converts what an operator says, whose shape Validate has checked.
func (r *run) maintenanceFromProto(item *fsmpb.MaintenanceItem) (*registry.Maintenance, error) {
	tlds, err := r.requireTLDs(item.GetTlds())
	if err != nil {
		return nil, err
	}
	m := &registry.Maintenance{
		Name: item.GetName(), Environment: item.GetEnvironment(), CustomName: item.GetEnvironmentName(),
		StartsAt: time.UnixMilli(item.GetStartMs()).UTC(), EndsAt: time.UnixMilli(item.GetEndMs()).UTC(),
		Emergency: item.GetEmergency(), Detail: item.GetDetail(), TLDs: tlds, CourtesyHours: item.GetCourtesyHours(),
		Types: maintenanceTextsFromProto(item.GetTypes()), Descriptions: maintenanceTextsFromProto(item.GetDescriptions()),
	}
	for _, s := range item.GetSystems() {
		m.Systems = append(m.Systems, registry.MaintenanceSystem{Name: s.GetName(), Host: s.GetHost(), Impact: s.GetImpact()})
	}
	if i := item.GetIntervention(); i != nil {
		m.Intervention = &registry.MaintenanceIntervention{Connection: i.GetConnection(), Implementation: i.GetImplementation()}
	}
	if !m.EndsAt.After(r.now) {
		return nil, refuse(registry.CodeParameterRange, "end", m.EndsAt.Format(time.RFC3339), "the end of a maintenance lies in the future")
	}
	if at := m.StartsAt.Add(-time.Duration(m.CourtesyHours) * time.Hour); m.CourtesyHours > 0 && at.After(r.now) {
		m.CourtesyAt = at
	}
	return m, nil
}

func maintenanceTextsFromProto(all []*fsmpb.MaintenanceText) []registry.MaintenanceText {
	var out []registry.MaintenanceText
	for _, t := range all {
		lang := t.GetLang()
		if lang == "" {
			lang = "en"
		}
		out = append(out, registry.MaintenanceText{Text: t.GetText(), Lang: lang, HTML: t.GetHtml()})
	}
	return out
}

// MaintenanceToProto converts what an operator said of a maintenance to its form in the log.
func MaintenanceToProto(m *registry.Maintenance) *fsmpb.MaintenanceItem {
	texts := func(all []registry.MaintenanceText) (out []*fsmpb.MaintenanceText) {
		for _, t := range all {
			out = append(out, &fsmpb.MaintenanceText{Text: t.Text, Lang: t.Lang, Html: t.HTML})
		}
		return out
	}
	item := &fsmpb.MaintenanceItem{
		Name: m.Name, Types: texts(m.Types), Environment: m.Environment, EnvironmentName: m.CustomName,
		StartMs: m.StartsAt.UnixMilli(), EndMs: m.EndsAt.UnixMilli(), Emergency: m.Emergency, Detail: m.Detail,
		Descriptions: texts(m.Descriptions), CourtesyHours: m.CourtesyHours,
	}
	for _, s := range m.Systems {
		item.Systems = append(item.Systems, &fsmpb.MaintenanceSystem{Name: s.Name, Host: s.Host, Impact: s.Impact})
	}
	for _, tld := range m.TLDs {
		item.Tlds = append(item.Tlds, string(tld))
	}
	if i := m.Intervention; i != nil {
		item.Intervention = &fsmpb.MaintenanceIntervention{Connection: i.Connection, Implementation: i.Implementation}
	}
	return item
}

// liveMaintenance returns a maintenance that can still be changed.
func (r *run) liveMaintenance(id string) (*registry.Maintenance, error) {
	m, found := r.tx.Maintenance(id)
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "id", id, "there is no such maintenance; see: cadastre maintenance list")
	}
	if m.IsOver() || !m.EndsAt.After(r.now) {
		return nil, refuse(registry.CodeStatusProhibits, "id", id, "the maintenance is over or cancelled")
	}
	if m.Revision >= maxMaintenanceRevisions {
		return nil, refuse(registry.CodeParameterPolicy, "id", id, "a maintenance is changed at most %d times: every change is a message to every registrar", maxMaintenanceRevisions)
	}
	return m, nil
}

// maintenanceRecipients returns the registrars that any of the versions concerns: all that
// can log in and are accredited for a TLD that it names.
func (r *run) maintenanceRecipients(versions ...*registry.Maintenance) []registry.RegistrarID {
	var told []registry.RegistrarID
	for _, registrar := range r.tx.Registrars() {
		for _, m := range versions {
			if m != nil && m.Concerns(registrar.TLDs) {
				told = append(told, registrar.ID)
				break
			}
		}
	}
	return told
}

// putMaintenance writes the version and tells registrars of it: those that it concerns, and
// those that the one before it did. It refuses to tell more than the bound.
func (r *run) putMaintenance(old, m *registry.Maintenance, kind registry.PollKind) error {
	told := r.maintenanceRecipients(old, m)
	if len(told) > maxMaintenanceRecipients {
		return refuse(registry.CodeParameterPolicy, "tlds", "", "it concerns %d registrars and at most %d can be told; name fewer TLDs", len(told), maxMaintenanceRecipients)
	}
	r.tx.PutMaintenance(old, m)
	r.tellOfMaintenance(told, m, kind)
	return nil
}

func (r *run) tellOfMaintenance(told []registry.RegistrarID, m *registry.Maintenance, kind registry.PollKind) {
	at := r.tx.At()
	for _, registrar := range told {
		r.notify(registry.PollMessage{
			Registrar: registrar, Kind: kind, Object: registry.KindMaintenance, Key: m.ID, ROID: m.ROID,
			Action: registry.Action{Term: at.Term, Index: at.Index, InEntry: at.InEntry},
		})
	}
}

// maintenanceDue does what is due for a maintenance: it reminds of it, tells of its end, or
// retires it.
func (r *run) maintenanceDue(due store.Due) error {
	old, found := r.tx.Maintenance(due.Maintenance)
	if !found {
		return refuse(registry.CodeInternal, "maintenance", due.Maintenance, "something is due for a maintenance that does not exist")
	}
	next, kind := *old, registry.PollMaintenanceEnd
	switch {
	case old.IsOver():
		r.tx.RetireMaintenance(old)
		return nil
	case due.At.Before(old.EndsAt):
		next.CourtesyAt, kind = time.Time{}, registry.PollMaintenanceCourtesy
	default:
		next.Ended = true
	}
	r.tx.PutMaintenance(old, &next)
	r.tellOfMaintenance(r.maintenanceRecipients(&next), &next, kind)
	return nil
}
