package rdap_test

import (
	"net/http"
	"slices"
	"testing"
)

// members are what RFC 9083, 9537, 8977 and 8982 allow in an object of the class.
func members() map[string][]string {
	common := []string{"objectClassName", "handle", "links", "events", "status", "remarks", "port43", "entities", "lang"}
	top := []string{"rdapConformance", "notices", "redacted"}
	return map[string][]string{
		"domain":     slices.Concat(top, common, []string{"ldhName", "unicodeName", "variants", "nameservers", "secureDNS", "publicIds", "network"}),
		"nameserver": slices.Concat(top, common, []string{"ldhName", "unicodeName", "ipAddresses"}),
		"entity":     slices.Concat(top, common, []string{"vcardArray", "roles", "publicIds", "asEventActor", "networks", "autnums"}),
		"answer": slices.Concat(top, []string{"errorCode", "title", "description", "lang", "domainSearchResults", "nameserverSearchResults", "entitySearchResults",
			"paging_metadata", "sorting_metadata", "subsetting_metadata", "events"}),
		"links": {"value", "rel", "href", "hreflang", "title", "media", "type"}, "notices": {"title", "type", "description", "links", "lang"},
		"events": {"eventAction", "eventActor", "eventDate", "links"}, "publicIds": {"type", "identifier"},
		"secureDNS": {"zoneSigned", "delegationSigned", "maxSigLife", "dsData", "keyData"}, "dsData": {"keyTag", "algorithm", "digest", "digestType", "events", "links"},
		"ipAddresses": {"v4", "v6"}, "redacted": {"name", "prePath", "postPath", "replacementPath", "pathLang", "method", "reason"}, "name": {"type", "description"}, "reason": {"type", "description"},
		"paging_metadata": {"totalCount", "pageSize", "pageNumber", "links"}, "sorting_metadata": {"currentSort", "availableSorts"}, "subsetting_metadata": {"currentFieldSet", "availableFieldSets"},
	}
}

// unknownMembers lists what no RFC allows where it stands.
func unknownMembers(v any, context string) []string {
	var bad []string
	switch v := v.(type) {
	case map[string]any:
		class := context
		if name, ok := v["objectClassName"].(string); ok {
			class = name
		}
		allowed, known := members()[class]
		if !known {
			return []string{"an object as " + context}
		}
		for name, member := range v {
			if !slices.Contains(allowed, name) {
				bad = append(bad, name+" in "+class)
			}
			if name != "vcardArray" {
				bad = append(bad, unknownMembers(member, name)...)
			}
		}
	case []any:
		for _, e := range v {
			bad = append(bad, unknownMembers(e, context)...)
		}
	}
	return bad
}

func TestStructure(t *testing.T) {
	w := newWorld(t, nil)
	paths := []string{"/help", "/entity/292", "/entity/reg-b", "/entity/c-one", "/entity/C2-EX", "/nameserver/ns1.one.example", "/nameserver/ns.elsewhere.test",
		"/domains?name=one*", "/domains?name=hel*.example&fieldSet=id", "/domains?nsLdhName=ns1.one.example&fieldSet=brief&count=true&limit=1", "/nameservers?name=ns1.o*", "/entities?fn=regis*", "/entities?handle=292"}
	for _, name := range names() {
		paths = append(paths, "/domain/"+name)
	}
	for _, path := range paths {
		if bad := unknownMembers(w.get(t, path, http.StatusOK), "answer"); len(bad) > 0 {
			t.Errorf("%s has %q", path, bad)
		}
	}
	for path, status := range map[string]int{"/domain/absent.example": 404, "/ip/192.0.2.1": 501, "/domain/a..b": 400} {
		if bad := unknownMembers(w.get(t, path, status), "answer"); len(bad) > 0 {
			t.Errorf("%s has %q", path, bad)
		}
	}
}

// TestLinksResolve follows the links of all answers that lead to the service itself.
func TestLinksResolve(t *testing.T) {
	w := newWorld(t, nil)
	seen := map[string]bool{}
	queue := []string{"/domain/one.example", "/domain/xn--bcher-kva.example", "/nameserver/ns1.one.example", "/entity/292", "/entity/c-one", "/help", "/domains?name=one*", "/domains?nsLdhName=ns1.one.example&limit=2"}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		out := w.ask(path, "", nil)
		if out.Code != http.StatusOK {
			t.Errorf("%s is answered %d", path, out.Code)
		}
		if out.Header().Get("Content-Type") != "application/rdap+json" {
			continue
		}
		everyLink(decode(t, out, http.StatusOK), func(l any) bool {
			if href, _ := at(l, "href").(string); len(href) > 20 && href[:20] == "https://rdap.example" {
				queue = append(queue, href[20:])
			}
			return true
		})
	}
	if len(seen) < 15 {
		t.Errorf("only %d addresses were found", len(seen))
	}
}
