package epp

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// maintenanceInfo is <info> of a maintenance, or of all that concern the registrar (RFC 9167
// section 4.1.3). To others a maintenance does not exist.
func (c *call) maintenanceInfo(ctx context.Context, q *eppxml.MaintenanceInfo) (*answer, error) {
	data := &eppxml.MaintenanceInfData{}
	err := c.view(ctx, func(tx *store.ReadTx) error {
		registrar, found := tx.Registrar(c.registrar)
		if !found {
			return refuse(registry.CodeAuthorization, "clID", string(c.registrar), "there is no such registrar")
		}
		if q.ID == nil {
			data.List = shownMaintenances(tx.Maintenances(), registrar)
			return nil
		}
		m, found := tx.Maintenance(q.ID.ID)
		if !found || m.Cancelled || !m.Concerns(registrar.TLDs) {
			return refuse(registry.CodeObjectDoesNotExist, "id", q.ID.ID, "there is no such maintenance")
		}
		data.Item = shownMaintenance(m, "")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ok(eppxml.AppendMaintenanceInfData(nil, data)), nil
}

// shownMaintenances lists what concerns the registrar, by start.
func shownMaintenances(all []*registry.Maintenance, registrar *registry.Registrar) []eppxml.MaintenanceListItem {
	slices.SortFunc(all, func(a, b *registry.Maintenance) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), cmp.Compare(a.ID, b.ID))
	})
	var list []eppxml.MaintenanceListItem
	for _, m := range all {
		if !m.Cancelled && m.Concerns(registrar.TLDs) {
			list = append(list, eppxml.MaintenanceListItem{
				ID: shownMaintenanceID(m), Start: m.StartsAt, End: m.EndsAt, CrDate: m.CreatedAt, UpDate: m.UpdatedAt,
			})
		}
	}
	return list
}

func shownMaintenanceID(m *registry.Maintenance) eppxml.MaintenanceID {
	return eppxml.MaintenanceID{ID: m.ID, Name: m.Name}
}

// shownMaintenance is the item with all that is known of it; pollType is empty outside of
// messages.
func shownMaintenance(m *registry.Maintenance, pollType string) *eppxml.MaintenanceItem {
	item := &eppxml.MaintenanceItem{
		ID: shownMaintenanceID(m), PollType: pollType, Environment: m.Environment, EnvironmentName: m.CustomName,
		Start: m.StartsAt, End: m.EndsAt, Reason: "planned", Detail: m.Detail, CrDate: m.CreatedAt, UpDate: m.UpdatedAt,
	}
	if m.Emergency {
		item.Reason = "emergency"
	}
	for _, t := range m.Types {
		item.Types = append(item.Types, shownMaintenanceText(t))
	}
	for _, s := range m.Systems {
		item.Systems = append(item.Systems, eppxml.MaintenanceSystem{Name: s.Name, Host: s.Host, Impact: s.Impact})
	}
	for _, t := range m.Descriptions {
		item.Descriptions = append(item.Descriptions, shownMaintenanceText(t))
	}
	for _, tld := range m.TLDs {
		item.TLDs = append(item.TLDs, string(tld))
	}
	if i := m.Intervention; i != nil {
		item.Intervention = &eppxml.MaintenanceIntervention{Connection: i.Connection, Implementation: i.Implementation}
	}
	return item
}

func shownMaintenanceText(t registry.MaintenanceText) eppxml.MaintenanceText {
	shown := eppxml.MaintenanceText{Text: t.Text, Lang: t.Lang}
	if t.HTML {
		shown.Type = "html"
	}
	return shown
}

// maintenanceMessage is what a message about a maintenance carries: the maintenance as it was
// when the message was made, and a text.
func maintenanceMessage(tx *store.ReadTx, m *registry.PollMessage) (data []byte, text string, err error) {
	_, version := tx.VersionAt(m.ROID, m.Action.Index, m.Action.InEntry)
	if version == nil || version.Deleted {
		return nil, "", refuse(registry.CodeInternal, "", "", "the history of %s has lost the version of entry %d", m.ROID, m.Action.Index)
	}
	maintenance := version.Maintenance()
	data = eppxml.AppendMaintenanceInfData(nil, &eppxml.MaintenanceInfData{Item: shownMaintenance(maintenance, m.Kind.MaintenancePollType())})
	return data, maintenanceText(m.Kind, maintenance), nil
}

func maintenanceText(kind registry.PollKind, m *registry.Maintenance) string {
	name := m.ID
	if m.Name != "" {
		name = fmt.Sprintf("%s (%s)", m.Name, m.ID)
	}
	from, until := instantText(m.StartsAt), instantText(m.EndsAt)
	switch kind {
	case registry.PollMaintenanceUpdate:
		return fmt.Sprintf("The maintenance %s was changed; it is from %s until %s", name, from, until)
	case registry.PollMaintenanceDelete:
		return fmt.Sprintf("The maintenance %s from %s until %s was cancelled", name, from, until)
	case registry.PollMaintenanceCourtesy:
		return fmt.Sprintf("The maintenance %s begins at %s and ends at %s", name, from, until)
	case registry.PollMaintenanceEnd:
		return fmt.Sprintf("The maintenance %s ended at %s", name, until)
	default:
		return fmt.Sprintf("The maintenance %s is planned from %s until %s", name, from, until)
	}
}
