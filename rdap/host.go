package rdap

import (
	"cadastre/disclose"
)

// host writes an answer about a name server (RFC 9083 section 5.2).
func (w *writer) host(rq *request, h *disclose.Host, fresh disclose.Freshness) {
	w.begin("")
	w.notices(rq, fresh, "", false, nil)
	w.hostMembers(rq, h, &fresh)
	w.close('}')
}

func (w *writer) hostMembers(rq *request, h *disclose.Host, fresh *disclose.Freshness) {
	w.member("objectClassName", "nameserver")
	w.member("handle", string(h.ROID))
	w.member("ldhName", string(h.Name))
	if h.Unicode != string(h.Name) {
		w.member("unicodeName", h.Unicode)
	}
	w.statuses(h.Statuses)
	if len(h.Addresses) > 0 {
		w.object("ipAddresses")
		for _, family := range []struct {
			name string
			is4  bool
		}{{"v4", true}, {"v6", false}} {
			var list []string
			for _, addr := range h.Addresses {
				if addr.Is4() == family.is4 {
					list = append(list, addr.String())
				}
			}
			if len(list) > 0 {
				w.strings(family.name, list...)
			}
		}
		w.close('}')
	}
	w.array("events")
	w.event("registration", h.CreatedAt)
	w.event("last changed", h.UpdatedAt)
	if fresh != nil {
		w.lastUpdate(*fresh)
	}
	w.close(']')
	w.array("links")
	w.link(rq, "self", rq.base+"nameserver/"+string(h.Name), mediaType)
	w.close(']')
	w.array("entities")
	w.registrarEntity(rq, h.Sponsor)
	w.close(']')
}
