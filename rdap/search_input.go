package rdap

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cadastre/idn"
)

// pattern is a search pattern: a name, or the beginning of a label and the labels after it
// (RFC 9082 section 4.1).
type pattern struct {
	prefix, suffix string
	hasWildcard    bool
}

func (p *pattern) matches(name string) bool {
	if !p.hasWildcard {
		return name == p.prefix
	}
	middle, ok := strings.CutPrefix(name, p.prefix)
	if !ok || len(middle) < len(p.suffix) {
		return false
	}
	middle, ok = strings.CutSuffix(middle, p.suffix)
	return ok && (p.suffix == "" || !strings.Contains(middle, "."))
}

// parsePattern reads a pattern. isName says that it is of a domain name, which may be in Unicode.
func parsePattern(text string, isName bool) (pattern, error) {
	bad := func(reason string) (pattern, error) { return pattern{}, fail(http.StatusBadRequest, "%s", reason) }
	if text == "" || len(text) > 255 || !isText(text) {
		return bad("a pattern has 1 to 255 octets")
	}
	head, tail, wild := strings.Cut(text, "*")
	switch {
	case strings.Contains(tail, "*"):
		return bad("a pattern has one asterisk at most (RFC 9082 section 4.1)")
	case wild && tail != "" && (tail[0] != '.' || !isName):
		return bad("an asterisk ends a label (RFC 9082 section 4.1)")
	case wild && utf8.RuneCountInString(head) < minPatternOctets:
		return bad("a pattern says at least three characters before its asterisk")
	case !isName:
		return pattern{prefix: lower(head), hasWildcard: wild}, nil
	case !wild:
		name, err := domainName(text)
		return pattern{prefix: string(name)}, err
	}
	if !isASCII(head) {
		return bad("the label with the asterisk is in ASCII: part of an internationalised label has no ASCII form")
	}
	ascii, err := idn.ASCII(strings.TrimSuffix(tail, "."))
	if err != nil {
		return bad(err.Error())
	}
	return pattern{prefix: lower(head), suffix: lower(ascii), hasWildcard: true}, nil
}

func lower(s string) string { return strings.ToLower(s) }

// paging says which part of the results is shown (RFC 8977).
type paging struct {
	count      int
	wantsCount bool
}

// searchInput is a search that was understood.
type searchInput struct {
	property string
	pattern  pattern
	paging   paging
	// after is the name after which the page begins, "" for the first.
	after    string
	fieldSet string
	values   url.Values
}

// searchInput reads the parameters of a search, which names exactly one of the properties.
func (c *call) searchInput(properties ...string) (*searchInput, error) {
	values, err := url.ParseQuery(c.query.RawQuery)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "the query is not well encoded (RFC 3986 section 3.4)")
	}
	in := &searchInput{values: values, paging: paging{count: defaultResults}, fieldSet: values.Get("fieldSet")}
	for _, p := range properties {
		if !values.Has(p) {
			continue
		}
		if in.property != "" || len(values[p]) > 1 {
			return nil, fail(http.StatusBadRequest, "a search has one pattern")
		}
		in.property = p
	}
	if in.property == "" {
		return nil, fail(http.StatusBadRequest, "a search here names one of the properties %s", strings.Join(properties, ", "))
	}
	text := values.Get(in.property)
	if in.property == "nsIp" || in.property == "ip" {
		return in, nil
	}
	if in.pattern, err = parsePattern(text, in.property == "name" || in.property == "nsLdhName"); err != nil {
		return nil, err
	}
	return in, in.readPaging()
}

func (in *searchInput) readPaging() error {
	switch in.fieldSet {
	case "":
		in.fieldSet = "full"
	case "id", "brief", "full":
	default:
		return fail(http.StatusBadRequest, "fieldSet is id, brief or full (RFC 8982)")
	}
	switch count := in.values.Get("count"); count {
	case "", "false":
	case "true":
		in.paging.wantsCount = true
	default:
		return fail(http.StatusBadRequest, "count is true or false (RFC 8977 section 2.2)")
	}
	if limit := in.values.Get("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 || n > maxResults {
			return fail(http.StatusBadRequest, "limit is 1 to %d", maxResults)
		}
		in.paging.count = n
	}
	switch sort := in.values.Get("sort"); sort {
	case "", "name", "name:a", "handle", "handle:a":
	default:
		return fail(http.StatusBadRequest, "results are sorted by name or handle, ascending (RFC 8977 section 2.3)")
	}
	if cursor := in.values.Get("cursor"); cursor != "" {
		after, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || len(after) > 255 || !isText(string(after)) {
			return fail(http.StatusBadRequest, "the cursor is none that this server gave")
		}
		in.after = string(after)
	}
	return nil
}

// writeResults writes the page of results that was found.
func (c *call) writeResults(member string, in *searchInput, found *results, aboutDomains bool, one func(rq *request, name string) error) error {
	if len(found.names) == 0 && !found.more {
		return fail(http.StatusNotFound, "nothing matches")
	}
	w := c.w
	w.begin(searchConformance)
	w.notices(c.rq, c.fresh, "", aboutDomains, func() {
		if found.more {
			c.server.counters.truncated.Add(1)
			w.notice("Search Results Truncated", "result set truncated due to excessive load", []string{"There are more results: follow the link, or ask for less."}, nil)
		}
	})
	c.writePaging(in, found)
	w.object("sorting_metadata")
	w.member("currentSort", "name:a")
	w.close('}')
	w.object("subsetting_metadata")
	w.member("currentFieldSet", in.fieldSet)
	w.close('}')
	w.array(member)
	for _, name := range found.names {
		if err := one(c.rq, name); err != nil {
			return err
		}
	}
	w.close(']')
	w.array("events")
	w.lastUpdate(c.fresh)
	w.close(']')
	w.close('}')
	return nil
}

func (c *call) writePaging(in *searchInput, found *results) {
	w := c.w
	w.object("paging_metadata")
	if in.paging.wantsCount && !found.more {
		w.number("totalCount", uint64(len(found.names)))
	}
	w.number("pageSize", uint64(in.paging.count))
	if found.more && len(found.names) > 0 {
		next := maps.Clone(in.values)
		next.Set("cursor", base64.RawURLEncoding.EncodeToString([]byte(found.names[len(found.names)-1])))
		w.array("links")
		w.link(c.rq, "next", c.rq.base+strings.Join(c.path, "/")+"?"+next.Encode(), mediaType)
		w.close(']')
	}
	w.close('}')
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
