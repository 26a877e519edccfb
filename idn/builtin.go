package idn

import (
	"embed"
	"slices"
	"strings"
	"sync"
)

// tableFiles are the tables that come with the program. A table is never changed after a
// release, because names are registered under it: a new version has a new tag.
//
//go:embed tables/*.txt
var tableFiles embed.FS

// builtin are the parsed tables by tag.
var builtin = sync.OnceValue(func() []*Table {
	entries, err := tableFiles.ReadDir("tables")
	if err != nil {
		return nil
	}
	var all []*Table
	for _, entry := range entries {
		text, err := tableFiles.ReadFile("tables/" + entry.Name())
		if err != nil {
			return nil
		}
		table, err := ParseTable(string(text))
		if err != nil {
			continue // the test of this package reads every file and requires each to parse
		}
		all = append(all, table)
	}
	return all
})

// Builtin returns the table of the tag that comes with the program.
func Builtin(tag string) (*Table, bool) {
	for _, t := range builtin() {
		if strings.EqualFold(t.Tag, tag) {
			return t, true
		}
	}
	return nil, false
}

// BuiltinTags lists the tags of the tables that come with the program.
func BuiltinTags() []string {
	var tags []string
	for _, t := range builtin() {
		tags = append(tags, t.Tag)
	}
	slices.Sort(tags)
	return tags
}
