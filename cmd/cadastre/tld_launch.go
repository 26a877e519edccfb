package main

import (
	"fmt"
	"time"

	"cadastre/registry"
)

// launchPhaseDocument is a phase of the launch of a TLD as operators write it.
type launchPhaseDocument struct {
	Type           string `toml:"type" json:"type" comment:"sunrise, landrush, claims, open or custom"`
	Name           string `toml:"name" json:"name" comment:"of a custom phase, or of a part of another one"`
	StartsAt       string `toml:"starts_at" json:"starts_at" comment:"such as 2027-01-01T00:00:00Z; empty: no bound"`
	EndsAt         string `toml:"ends_at" json:"ends_at" comment:"the first instant after the phase; empty: no bound"`
	Applications   bool   `toml:"applications" json:"applications" comment:"operators decide; otherwise the first to come gets the name"`
	NoticeRequired bool   `toml:"notice_required" json:"notice_required" comment:"every create brings a claims notice"`
}

func launchPhaseDocuments(phases []registry.LaunchPhase) []launchPhaseDocument {
	documents := []launchPhaseDocument{}
	for i := range phases {
		p := &phases[i]
		documents = append(documents, launchPhaseDocument{
			Type: p.Type, Name: p.Name, StartsAt: optionalTime(p.StartsAt), EndsAt: optionalTime(p.EndsAt),
			Applications: p.Applications, NoticeRequired: p.NoticeRequired,
		})
	}
	return documents
}

func optionalTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func (d *tldDocument) parseLaunchPhases() ([]registry.LaunchPhase, error) {
	var phases []registry.LaunchPhase
	for i := range d.LaunchPhases {
		given := &d.LaunchPhases[i]
		phase := registry.LaunchPhase{
			Phase: registry.Phase{Type: given.Type, Name: given.Name}, Applications: given.Applications, NoticeRequired: given.NoticeRequired,
		}
		for _, bound := range []struct {
			key, text string
			into      *time.Time
		}{{"starts_at", given.StartsAt, &phase.StartsAt}, {"ends_at", given.EndsAt, &phase.EndsAt}} {
			if bound.text == "" {
				continue
			}
			at, err := parseTime(bound.text)
			if err != nil {
				return nil, fmt.Errorf("key \"launch_phases.%s\" of %s: %w", bound.key, phase.Phase, err)
			}
			*bound.into = at.UTC().Truncate(time.Millisecond)
		}
		phases = append(phases, phase)
	}
	return phases, nil
}
