package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"
)

// result prints what a verb found: the value as JSON if that was asked for, else the text.
func (a *app) result(value any, text string) error {
	if !a.json {
		_, err := fmt.Fprintln(a.stdout, strings.TrimRight(text, "\n"))
		return err
	}
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// say tells the person at standard error something. If nobody reads it, nothing is lost.
func (a *app) say(format string, args ...any) { _, _ = fmt.Fprintf(a.stderr, format, args...) }

// table returns rows in aligned columns, the first row being the head.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t")) // a strings.Builder does not fail
	}
	_ = w.Flush() // nor here
	return b.String()
}

// instant writes a time of the API, Unix milliseconds with 0 for never.
func instant(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// buildVersion tells which source this program was built from.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version, revision, modified := info.Main.Version, "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+modified"
		}
	}
	if revision == "" {
		return version
	}
	return version + " (" + revision + modified + ")"
}
