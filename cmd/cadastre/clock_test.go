package main

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	start := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"45d":    start.AddDate(0, 0, 45),
		"1y":     start.AddDate(1, 0, 0),
		"1d12h":  start.Add(36 * time.Hour),
		"90s":    start.Add(90 * time.Second),
		"1y1d1h": start.AddDate(1, 0, 1).Add(time.Hour),
	} {
		move, err := parseSpan(text)
		if err != nil {
			t.Errorf("parseSpan(%q): %v", text, err)
			continue
		}
		if got := move(start); !got.Equal(want) {
			t.Errorf("parseSpan(%q) moves to %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"", "-1d", "1", "d", "1d1y", "1w", "soon"} {
		if _, err := parseSpan(text); err == nil {
			t.Errorf("parseSpan(%q) is accepted", text)
		}
	}
}

func TestParseClockMode(t *testing.T) {
	for text, ok := range map[string]bool{
		"system": true, "manual": true, "2000-06-01T00:00:00Z": true, "2000-06-01": true, "yesterday": false,
	} {
		if _, err := parseClockMode(text); (err == nil) != ok {
			t.Errorf("parseClockMode(%q): %v", text, err)
		}
	}
}
