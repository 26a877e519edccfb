package idn

import (
	"embed"
	"slices"
	"strings"
)

// tableFiles are the tables that come with the program, one in each file. A table is never
// changed after a release, because names are registered under it and every node of a cluster
// must read the same: another repertoire has another tag.
//
//go:embed tables/*.txt
var tableFiles embed.FS

const (
	tableFolder = "tables/"
	tableSuffix = ".txt"
)

// Builtin returns the table of the tag that comes with the program.
func Builtin(tag string) (*Table, bool) {
	if !isTag(tag) {
		return nil, false
	}
	text, err := tableFiles.ReadFile(tableFolder + strings.ToLower(tag) + tableSuffix)
	if err != nil {
		return nil, false
	}
	table, err := LoadTable(string(text))
	return table, err == nil
}

// BuiltinTags lists the tags of the tables that come with the program.
func BuiltinTags() []string {
	entries, err := tableFiles.ReadDir(strings.TrimSuffix(tableFolder, "/"))
	if err != nil {
		return nil
	}
	var tags []string
	for _, entry := range entries {
		if table, found := Builtin(strings.TrimSuffix(entry.Name(), tableSuffix)); found {
			tags = append(tags, table.Tag)
		}
	}
	slices.Sort(tags)
	return tags
}
