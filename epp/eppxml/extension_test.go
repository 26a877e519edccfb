package eppxml

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleDS() []DSData {
	digest := bytes.Repeat([]byte{0xab, 0x0c}, 16)
	return []DSData{
		{KeyTag: 12345, Alg: 13, DigestType: 2, Digest: digest},
		{KeyTag: 0, Alg: 16, DigestType: 4, Digest: bytes.Repeat([]byte{1}, 48), Key: &sampleKeys()[0]},
	}
}

func sampleKeys() []KeyData {
	return []KeyData{{Flags: 257, Protocol: 3, Alg: 8, PublicKey: []byte("some public key")}, {Flags: 65535, PublicKey: []byte{1}}}
}

func sampleReport() *RGPReport {
	return &RGPReport{
		PreData: "Pre-delete registration data go here.", PostData: "Both & <all>", DelTime: sampleTime.UTC().Truncate(1e6),
		ResTime: sampleTime.UTC().Truncate(1e6), ResReason: "Registrant error.", Statements: []string{"First.", "Second."}, Other: "More",
	}
}

// extensionCodec encodes samples of an extension's element and reads them back.
type extensionCodec struct {
	name    string
	samples [][]byte
	decode  func(e *Element) (any, *Error)
	values  []any
}

func extensionCodecs() []extensionCodec {
	secDNS := []*SecDNS{{DS: sampleDS()}, {MaxSigLife: 604800, DS: sampleDS()[:1]}, {MaxSigLife: 1<<31 - 1, Keys: sampleKeys()}}
	updates := []*SecDNSUpdate{
		{Urgent: true, Rem: &SecDNSRem{All: ptr(true)}, Add: &SecDNS{DS: sampleDS()}, Chg: &SecDNSChg{MaxSigLife: 1}},
		{Rem: &SecDNSRem{DS: sampleDS()}}, {Rem: &SecDNSRem{Keys: sampleKeys()}, Add: &SecDNS{Keys: sampleKeys()}}, {Chg: &SecDNSChg{}}, {},
		{Rem: &SecDNSRem{All: ptr(false)}},
	}
	restores := []*RGPRestore{{Op: RestoreRequest}, {Op: RestoreReport, Report: sampleReport()},
		{Op: RestoreReport, Report: &RGPReport{DelTime: sampleReport().DelTime, ResTime: sampleReport().ResTime, Statements: []string{""}}}}
	logins := []*LoginSec{
		{UserAgent: &UserAgent{App: "EPP SDK 1.0.0", Tech: "Vendor Java 11.0.6", OS: "x86_64 Mac OS X 10.15.2"}, Password: "this is a long password", NewPassword: strings.Repeat("n", 200)},
		{UserAgent: &UserAgent{Tech: "Go"}}, {UserAgent: &UserAgent{OS: "Linux"}, NewPassword: "secret"}, {UserAgent: &UserAgent{App: "a", OS: "b"}}, {},
	}
	create := extensionCodec{name: "secDNS create", decode: func(e *Element) (any, *Error) { return orNil(DecodeSecDNSCreate(e)) }}
	infData := extensionCodec{name: "secDNS infData", decode: func(e *Element) (any, *Error) { return orNil(DecodeSecDNSInfData(e)) }}
	for _, v := range secDNS {
		create.samples, create.values = append(create.samples, AppendSecDNSCreate(nil, v)), append(create.values, v)
		infData.samples, infData.values = append(infData.samples, AppendSecDNSInfData(nil, v)), append(infData.values, v)
	}
	update := extensionCodec{name: "secDNS update", decode: func(e *Element) (any, *Error) { return orNil(DecodeSecDNSUpdate(e)) }}
	for _, v := range updates {
		update.samples, update.values = append(update.samples, AppendSecDNSUpdate(nil, v)), append(update.values, v)
	}
	restore := extensionCodec{name: "rgp update", decode: func(e *Element) (any, *Error) { return orNil(DecodeRGPUpdate(e)) }}
	for _, v := range restores {
		restore.samples, restore.values = append(restore.samples, AppendRGPUpdate(nil, v)), append(restore.values, v)
	}
	login := extensionCodec{name: "loginSec", decode: func(e *Element) (any, *Error) { return orNil(DecodeLoginSec(e)) }}
	for _, v := range logins {
		login.samples, login.values = append(login.samples, AppendLoginSec(nil, v)), append(login.values, v)
	}
	return append(append([]extensionCodec{create, infData, update, restore, login}, registryCodecs()...), slices.Concat(feeCodecs(), launchCodecs())...)
}

// orNil keeps a typed nil from looking like a value.
func orNil[T any](v *T, err *Error) (any, *Error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func TestExtensionRoundTrip(t *testing.T) {
	for _, codec := range extensionCodecs() {
		for i, sample := range codec.samples {
			e, err := ParseElement(sample)
			if err != nil {
				t.Fatalf("%s: %v: %s", codec.name, err, sample)
			}
			got, bad := codec.decode(&e)
			if bad != nil {
				t.Errorf("%s: %v: %s", codec.name, bad, sample)
				continue
			}
			if diff := cmp.Diff(codec.values[i], got); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", codec.name, sample, diff)
			}
		}
	}
}

// extensionTexts are values that the facets of the extensions tell apart.
var extensionTexts = []string{
	"255", "256", "65535", "65536", "2147483647", "2147483648", "4294967296", "AB", "abc", "a b", "ab ab", "0A0b", "AQ==", "A Q = =", "AQ=", "AR==", "====", "AQAB",
	"2020-01-01T00:00:00.0Z", "2020-01-01T00:00:00+01:00", "2020-01-01T00:00:00", "2020-01-01", "2020-01-01T24:00:00Z", "2020-02-30T00:00:00Z",
	"production", "emergency", "partial", "courtesy", "html", "report", "[LOGIN-SECURITY]", "abcde", "abcdef", "  abcdef  ", "a     b",
}

// wrapped puts an extension element into a command.
func wrapped(e *Element) []byte {
	return AppendCommand(nil, &Command{Body: &DomainDelete{Name: "example.com"}, Extensions: []Element{*e}, ClTRID: "ABC-1"})
}

// TestExtensionSchemaComparison compares the codecs of extensions with a schema validator, on valid elements and on such
// with one thing changed.
func TestExtensionSchemaComparison(t *testing.T) {
	validate := validator(t)
	rng := rand.New(rand.NewPCG(3, 4))
	padded := regexp.MustCompile(`>(\s+[^<>]*[0-9]|[^<>]*[0-9]\s+)<`)
	for _, codec := range extensionCodecs() {
		var docs [][]byte
		for _, sample := range codec.samples {
			base, err := ParseElement(sample)
			if err != nil {
				t.Fatal(err)
			}
			for _, mutant := range extensionMutants(base, rng) {
				docs = append(docs, wrapped(&mutant))
			}
		}
		accepted, wrong, spaced, base64 := 0, 0, 0, 0
		verdicts := validate(docs)
		for i, doc := range docs {
			req, bad := Decode(doc)
			ok, loose := bad == nil, false
			if ok {
				_, refused := codec.decode(&req.Command.Extensions[0])
				if ok = refused == nil; !ok {
					bad = refused
					loose = refused.Element == "pubKey" && refused.Value != ""
				}
			}
			if verdicts[i] {
				accepted++
			}
			if ok == verdicts[i] {
				continue
			}
			if ok && padded.Match(doc) {
				spaced++ // xmllint does not collapse white space around bounded numbers
				continue
			}
			if !ok && loose {
				base64++ // xmllint skips characters that base64 does not have, unlike XML Schema part 2 section 3.2.16
				continue
			}
			if wrong++; wrong <= 20 {
				t.Errorf("%s: validator accepts: %v, codec: %v\n%s", codec.name, verdicts[i], bad, doc)
			}
		}
		t.Logf("%s: %d frames, of which the validator accepts %d; %d disagreements; padded numbers: %d; odd base64: %d",
			codec.name, len(docs), accepted, wrong, spaced, base64)
		if accepted < 5 || len(docs)-accepted < 100 {
			t.Errorf("%s: the corpus is lopsided: %d of %d valid", codec.name, accepted, len(docs))
		}
	}
}

func extensionMutants(base Element, rng *rand.Rand) []Element {
	out := []Element{base}
	for i, n := range nodesOf(&base) {
		mutate := func(change func(e *Element)) {
			root := cloneElement(base)
			change(nodesOf(&root)[i])
			out = append(out, root)
		}
		mutate(func(e *Element) { e.Name += "x" })
		mutate(func(e *Element) { e.NS = "urn:example:none" })
		mutate(func(e *Element) { e.Attrs = append(e.Attrs, Attr{Name: "bogus", Value: "1"}) })
		mutate(func(e *Element) { e.Attrs = append(e.Attrs, Attr{Name: "lang", Value: "en"}) })
		mutate(func(e *Element) { e.Attrs = append(e.Attrs, Attr{Name: "lang", Value: "e1"}) })
		mutate(func(e *Element) { e.Attrs = append(e.Attrs, Attr{Name: "urgent", Value: "1"}) })
		mutate(func(e *Element) { e.Children = append(e.Children, Element{NS: e.NS, Name: "bogus"}) })
		for a := range n.Attrs {
			mutate(func(e *Element) { e.Attrs = append(e.Attrs[:a], e.Attrs[a+1:]...) })
			for _, s := range slices.Concat(feeTexts(), texts) {
				mutate(func(e *Element) { e.Attrs[a].Value = s })
			}
		}
		for k := range n.Children {
			mutate(func(e *Element) { e.Children = append(e.Children[:k], e.Children[k+1:]...) })
			mutate(func(e *Element) {
				e.Children = append(e.Children[:k+1], append([]Element{e.Children[k]}, e.Children[k+1:]...)...)
			})
			if k > 0 {
				mutate(func(e *Element) { e.Children[k], e.Children[k-1] = e.Children[k-1], e.Children[k] })
			}
		}
		if len(n.Children) > 0 {
			mutate(func(e *Element) { e.Children = nil })
			mutate(func(e *Element) { e.Text = "stray" })
			mutate(func(e *Element) { e.Children = repeat(e.Children, 2+rng.IntN(3)) })
			continue
		}
		for _, s := range slices.Concat(extensionTexts, feeTexts(), texts) {
			mutate(func(e *Element) { e.Text = s })
		}
	}
	return out
}

func TestExtensionResponsesAgainstSchemas(t *testing.T) {
	validate := validator(t)
	var docs [][]byte
	for _, extension := range [][]byte{
		AppendSecDNSInfData(nil, &SecDNS{MaxSigLife: 1, DS: sampleDS()}), AppendSecDNSInfData(nil, &SecDNS{Keys: sampleKeys()}),
		AppendChangeData(nil, sampleChanges()[0]), AppendChangeData(nil, sampleChanges()[1]),
		AppendTTLInfData(nil, *sampleTTLPolicy()), AppendTTLInfData(nil, sampleTTLs()), AppendIDNData(nil, sampleIDNs()[0]), AppendAddlEmail(nil, &AddlEmail{}),
		AppendOrgExtInfData(nil, nil), AppendOrgExtInfData(nil, []OrgLink{{Role: "reseller", ID: "res1523"}, {Role: "registrar", ID: "abc"}}),
		AppendRGPInfData(nil, []string{"addPeriod", "renewPeriod"}), AppendRGPUpData(nil, []string{"pendingRestore"}),
		AppendLoginSecData(nil, []LoginSecEvent{{Type: "certificate", Level: "warning", ExDate: sampleTime, Text: "a & b"}, {Type: "newPW", Level: "error"}}),
	} {
		docs = append(docs, AppendResponse(nil, &Response{Results: []Result{{Code: 1000, Msg: "ok"}}, Extension: extension, SvTRID: "abc"}))
		docs = append(docs, AppendResponse(nil, &Response{Results: []Result{{Code: 1000, Msg: "ok", ExtValues: []ExtValue{
			{Value: Value{Name: "any", XML: string(extension)}, Reason: "not in login services"}}}}, SvTRID: "abc"}))
	}
	for i, ok := range validate(docs) {
		if !ok {
			t.Errorf("does not validate: %s", docs[i])
		}
	}
	e, err := ParseElement(AppendRGPUpData(nil, []string{"pendingRestore"}))
	if err != nil {
		t.Fatal(err)
	}
	if got, bad := DecodeRGPStatuses(&e); bad != nil || len(got) != 1 || got[0] != "pendingRestore" {
		t.Errorf("statuses %v, %v", got, bad)
	}
}

func TestMixedContentIsKept(t *testing.T) {
	e, err := ParseElement([]byte(`<rgp:update xmlns:rgp="` + NSRGP + `"><rgp:restore op="report"><rgp:report><rgp:preData>some <b xmlns="urn:x">bold</b></rgp:preData>` +
		`<rgp:postData/><rgp:delTime>2020-01-01T00:00:00Z</rgp:delTime><rgp:resTime>2020-01-01T00:00:00Z</rgp:resTime><rgp:resReason lang="en">x</rgp:resReason>` +
		`<rgp:statement>y</rgp:statement></rgp:report></rgp:restore></rgp:update>`))
	if err != nil {
		t.Fatal(err)
	}
	got, bad := DecodeRGPUpdate(&e)
	if bad != nil {
		t.Fatal(bad)
	}
	if want := `some<b xmlns="urn:x">bold</b>`; got.Report.PreData != want {
		t.Errorf("got %q, want %q", got.Report.PreData, want)
	}
}

func TestErrorsOfPasswordsShowNone(t *testing.T) {
	e, err := ParseElement([]byte(`<l:loginSec xmlns:l="` + NSLoginSec + `"><l:pw>abc</l:pw></l:loginSec>`))
	if err != nil {
		t.Fatal(err)
	}
	if _, bad := DecodeLoginSec(&e); bad == nil || strings.Contains(bad.Error(), "abc") {
		t.Errorf("got %v", bad)
	}
}

// FuzzExtension gives each codec any element: what it accepts, it can write and read again.
func FuzzExtension(f *testing.F) {
	for _, codec := range extensionCodecs() {
		for _, sample := range codec.samples {
			f.Add(sample)
		}
	}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		e, err := ParseElement(encoded)
		if err != nil {
			return
		}
		var again []byte
		for _, codec := range extensionCodecs() {
			v, bad := codec.decode(&e)
			if bad != nil {
				continue
			}
			switch v := v.(type) {
			case *SecDNS:
				if again = AppendSecDNSCreate(nil, v); e.Name == "infData" {
					again = AppendSecDNSInfData(nil, v)
				}
			case *SecDNSUpdate:
				again = AppendSecDNSUpdate(nil, v)
			case *RGPRestore:
				again = AppendRGPUpdate(nil, v)
			case *ChangeData:
				again = AppendChangeData(nil, v)
			case *TTLInfo:
				again = AppendTTLInfo(nil, v)
			case *[]TTL:
				again = map[string]func([]byte, []TTL) []byte{"create": AppendTTLCreate, "update": AppendTTLUpdate, "infData": AppendTTLInfData}[e.Name](nil, *v)
			case *OrgExtUpdate:
				again = AppendOrgExtUpdate(nil, v)
			case *[]OrgLink:
				if again = AppendOrgExtCreate(nil, *v); e.Name == "infData" {
					again = AppendOrgExtInfData(nil, *v)
				}
			case *IDNData:
				again = AppendIDNData(nil, v)
			case *MaintenanceInfData:
				again = AppendMaintenanceInfData(nil, v)
			case *AddlEmail:
				again = AppendAddlEmail(nil, v)
			case *AllocationToken:
				again = AppendAllocationToken(nil, v)
			case *AllocationTokenInfo:
				again = AppendAllocationTokenInfo(nil, v)
			case *LaunchCheck:
				again = AppendLaunchCheck(nil, v)
			case *LaunchInfo:
				again = AppendLaunchInfo(nil, v)
			case *LaunchCreate:
				again = AppendLaunchCreate(nil, v)
			case *LaunchID:
				again = v.append(nil, e.Name)
			case *FeeCheck:
				again = AppendFeeCheck(nil, v)
			case *FeeTransform:
				again = AppendFeeTransform(nil, e.Name, v)
			case *LoginSec:
				if u := v.UserAgent; u != nil && *u == (UserAgent{}) {
					return // only empty parts, which are not written
				}
				again = AppendLoginSec(nil, v)
			}
			second, err := ParseElement(again)
			if err != nil {
				t.Fatalf("%s: %v: %s", codec.name, err, again)
			}
			if _, bad := codec.decode(&second); bad != nil && len(encoded) < 4096 {
				t.Fatalf("%s: %v: %s", codec.name, bad, again)
			}
		}
	})
}
