package eppxml

import "strings"

// newCodec makes the samples of an extension's element.
func newCodec[T any](name string, values []*T, encode func([]byte, *T) []byte, decode func(*Element) (*T, *Error)) extensionCodec {
	codec := extensionCodec{name: name, decode: func(e *Element) (any, *Error) { return orNil(decode(e)) }}
	for _, v := range values {
		codec.samples, codec.values = append(codec.samples, encode(nil, v)), append(codec.values, v)
	}
	return codec
}

func sampleChanges() []*ChangeData {
	date := sampleTime.UTC().Truncate(1e6)
	return []*ChangeData{
		{State: "before", Operation: "update", Date: date, SvTRID: "1-22-0", Who: "URS Admin", CaseID: &ChangeCase{ID: "urs123", Type: "urs"}, Reason: "URS Lock"},
		{State: "after", Operation: "custom", Op: "lock & hold", Date: date, SvTRID: strings.Repeat("x", 64), Who: "w",
			CaseID: &ChangeCase{ID: "", Type: "custom", Name: "court order"}},
		{State: "after", Operation: "autoRenew", Date: date, SvTRID: "abc", Who: " a  b ", Reason: strings.Repeat("r", 32)},
	}
}

func sampleIDNs() []*IDNData {
	return []*IDNData{{Table: "und-Latn", UName: "b\u00fccher.example"}, {Table: "x"}, {Table: strings.Repeat("t", 300), UName: strings.Repeat("\u00e9", 255)},
		{Table: "a b & c", UName: "x"}, {Table: "\u4e2d", UName: "\u4e2d.\u4e2d"}}
}

func sampleMaintenances() []*MaintenanceInfData {
	start := sampleTime.UTC().Truncate(1e6)
	end := start.Add(3 * 3600 * 1e9)
	item := MaintenanceItem{
		ID: MaintenanceID{ID: "M1-REG", Name: "New servers & disks", Lang: "en"}, Types: []MaintenanceText{{Text: "Routine Maintenance"}, {Text: " geplant ", Lang: "de"}},
		PollType: "create", Systems: []MaintenanceSystem{{Name: "EPP", Host: "epp.registry.example", Impact: "full"}, {Name: "", Impact: "none"}},
		Environment: "custom", EnvironmentName: "marketing", Start: start, End: end, Reason: "emergency", Detail: "https://www.registry.example/notice?123",
		Descriptions: []MaintenanceText{{Text: "free text\nlines"}, {Text: "<b>text</b>", Lang: "fr", Type: "html"}}, TLDs: []string{"example", "test"},
		Intervention: &MaintenanceIntervention{Connection: true}, CrDate: start, UpDate: end,
	}
	least := MaintenanceItem{ID: MaintenanceID{ID: "x"}, Systems: []MaintenanceSystem{{Name: "DNS", Impact: "partial"}}, Environment: "production", Start: start, End: end, Reason: "planned", CrDate: start}
	return []*MaintenanceInfData{{Item: &item}, {Item: &least}, {}, {List: []MaintenanceListItem{{ID: item.ID, Start: start, End: end, CrDate: start}, {ID: least.ID, Start: start, End: end, CrDate: start, UpDate: end}}}}
}

func sampleTTLs() []TTL {
	return []TTL{{For: "NS", Seconds: ptr(uint32(3600))}, {For: "DS"}, {For: "custom", Custom: "NEW-TYPE1", Seconds: ptr(uint32(1<<31 - 1))}}
}

func sampleTTLPolicy() *[]TTL {
	bounds := &TTLBounds{Min: 60, Default: 86400, Max: 172800}
	return &[]TTL{{For: "A", Seconds: ptr(uint32(60)), Bounds: bounds}, {For: "AAAA", Bounds: bounds}}
}

func appendEach(encode func([]byte, []TTL) []byte) func([]byte, *[]TTL) []byte {
	return func(dst []byte, ttls *[]TTL) []byte { return encode(dst, *ttls) }
}

func decodeEach(decode func(*Element) ([]TTL, *Error)) func(*Element) (*[]TTL, *Error) {
	return func(e *Element) (*[]TTL, *Error) {
		ttls, err := decode(e)
		return &ttls, err
	}
}

// registryCodecs are those of what the registry itself says and decides.
func registryCodecs() []extensionCodec {
	ttls := sampleTTLs()
	return []extensionCodec{
		newCodec("changePoll changeData", sampleChanges(), AppendChangeData, DecodeChangeData),
		newCodec("ttl info", []*TTLInfo{{}, {Policy: true}}, AppendTTLInfo, DecodeTTLInfo),
		newCodec("ttl create", []*[]TTL{&ttls, {{For: "A", Seconds: ptr(uint32(0))}}}, appendEach(AppendTTLCreate), decodeEach(DecodeTTLs)),
		newCodec("ttl update", []*[]TTL{&ttls}, appendEach(AppendTTLUpdate), decodeEach(DecodeTTLs)),
		newCodec("ttl infData", []*[]TTL{sampleTTLPolicy(), &ttls}, appendEach(AppendTTLInfData), decodeEach(DecodeTTLInfData)),
		newCodec("orgext create", []*[]OrgLink{sampleOrgLinks()}, appendLinks(AppendOrgExtCreate), decodeLinks(DecodeOrgExtCreate)),
		newCodec("orgext infData", []*[]OrgLink{sampleOrgLinks(), new([]OrgLink)}, appendLinks(AppendOrgExtInfData), decodeLinks(DecodeOrgExtInfData)),
		newCodec("orgext update", []*OrgExtUpdate{{}, {Rem: []OrgLink{{Role: "reseller"}}}, {Add: []OrgLink{{Role: "a", ID: "b & c"}, {Role: "d", ID: "e"}},
			Rem: []OrgLink{{Role: "reseller", ID: "abc"}}, Chg: []OrgLink{{Role: "registrar", ID: "abc"}}}}, AppendOrgExtUpdate, DecodeOrgExtUpdate),
		newCodec("idn data", sampleIDNs(), AppendIDNData, DecodeIDNData),
		newCodec("maint infData", sampleMaintenances(), AppendMaintenanceInfData, DecodeMaintenanceInfData),
		newCodec("addlEmail", []*AddlEmail{{}, {Primary: true, Address: "\u00e4\u4e2d@\u4f8b.example"}, {Address: "a@b.example"}}, AppendAddlEmail, DecodeAddlEmail),
	}
}
