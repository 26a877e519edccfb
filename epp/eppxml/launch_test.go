package eppxml

import (
	"strings"
	"testing"
)

func sampleLaunchIDs() []*LaunchID {
	return []*LaunchID{{Phase: LaunchPhase{Type: "landrush"}, ApplicationID: "abc123"}, {Phase: LaunchPhase{Type: "custom", Name: "a & b"}}}
}

// sampleMark has everything that a mark can have.
func sampleMark() []byte {
	addr := `<addr><street>1 High St</street><street>2</street><street/><city>Reston</city><sp>VA</sp><pc>20190</pc><cc>US</cc></addr>`
	holder := `<holder entitlement="owner"><name>Ada</name><org>Example Inc.</org>` + addr + `<voice x="12">+1.7035555555</voice><fax/><email>h@mark.example</email></holder>`
	contact := `<contact type="agent"><name>Ada</name><org>O</org>` + addr + `<voice>+1.7035555555</voice><fax>+1.2</fax><email>c@mark.example</email></contact>`
	head := `<id>00052013734689731373468973-65535</id><markName>Example &amp; One</markName>` + holder + contact
	date := `2009-08-16T09:00:00.000Z`
	return []byte(`<mark xmlns="` + NSMark + `"><trademark>` + head + `<jurisdiction>US</jurisdiction><class>35</class><class>-1</class><label>example-one</label><label>e</label>` +
		`<goodsAndServices>Dirigendas</goodsAndServices><apId>1</apId><apDate>` + date + `</apDate><regNum>234235</regNum><regDate>` + date + `</regDate><exDate>` + date + `</exDate></trademark>` +
		`<treatyOrStatute>` + head + `<protection><cc>US</cc><region>Reston</region><ruling>US</ruling></protection><label>example-one</label><goodsAndServices/>` +
		`<refNum>2</refNum><proDate>` + date + `</proDate><title>T</title><execDate>` + date + `</execDate></treatyOrStatute>` +
		`<court>` + head + `<label>x1</label><goodsAndServices>G</goodsAndServices><refNum>2</refNum><proDate>` + date + `</proDate><cc>US</cc><region>R</region><region>S</region><courtName>C</courtName></court></mark>`)
}

func sampleLaunchCreates() []*LaunchCreate {
	date := sampleTime.UTC().Truncate(1e6)
	small := []byte(`<mark xmlns="` + NSMark + `"/>`)
	encoded := []byte(`<encodedSignedMark xmlns="` + NSSignedMark + `" encoding="base64">AQ==</encodedSignedMark>`)
	return []*LaunchCreate{
		{Phase: LaunchPhase{Type: "open"}},
		{Phase: LaunchPhase{Type: "landrush"}, Type: LaunchApplication},
		{Phase: LaunchPhase{Type: "claims"}, Type: LaunchRegistration, Notices: []LaunchNotice{
			{ID: "370d0b7c9223372036854775807", ValidatorID: "tmch", NotAfter: date, AcceptedDate: date}, {ID: "x", NotAfter: date, AcceptedDate: date}}},
		{Phase: LaunchPhase{Type: "sunrise"}, Codes: []LaunchCode{{Code: "49FD46E6C4B45C55D4AC", ValidatorID: "sample"}, {Mark: small}, {}}},
		{Phase: LaunchPhase{Type: "sunrise"}, Codes: []LaunchCode{{Code: "c", Mark: sampleMark()}}, Notices: []LaunchNotice{{ID: "n", NotAfter: date, AcceptedDate: date}}},
		{Phase: LaunchPhase{Type: "custom", Name: "two"}, Signed: [][]byte{encoded, encoded}},
	}
}

// launchCodecs are those of how names are given out.
func launchCodecs() []extensionCodec {
	// Nearly every text is a token: many samples make enough mutants that are none.
	var tokens []*AllocationToken
	for i := range 12 {
		tokens = append(tokens, &AllocationToken{Token: "abc 123" + strings.Repeat("t", 25*i)})
	}
	return []extensionCodec{
		newCodec("launch check", []*LaunchCheck{{Form: "claims", Phase: &LaunchPhase{Type: "claims"}}, {Form: "avail", Phase: &LaunchPhase{Type: "custom", Name: "idn first"}}, {Form: "trademark"}}, AppendLaunchCheck, DecodeLaunchCheck),
		newCodec("launch info", []*LaunchInfo{{Phase: LaunchPhase{Type: "sunrise"}, ApplicationID: ptr("abc123"), IncludeMark: true}, {Phase: LaunchPhase{Type: "open"}}}, AppendLaunchInfo, DecodeLaunchInfo),
		newCodec("launch update", sampleLaunchIDs(), AppendLaunchUpdate, DecodeLaunchUpdate),
		newCodec("launch delete", sampleLaunchIDs(), AppendLaunchDelete, DecodeLaunchDelete),
		newCodec("launch create", sampleLaunchCreates(), AppendLaunchCreate, DecodeLaunchCreate),
		newCodec("allocationToken", tokens, AppendAllocationToken, DecodeAllocationToken),
		// The info element is empty: one sample has few mutants, so that it comes several times.
		newCodec("allocationToken info", []*AllocationTokenInfo{{}, {}, {}, {}, {}}, AppendAllocationTokenInfo, DecodeAllocationTokenInfo),
	}
}

func TestErrorsOfAllocationTokensShowNone(t *testing.T) {
	e, err := ParseElement([]byte(`<t:allocationToken xmlns:t="` + NSAllocationToken + `" x="1">secret-token</t:allocationToken>`))
	if err != nil {
		t.Fatal(err)
	}
	if _, bad := DecodeAllocationToken(&e); bad == nil || strings.Contains(bad.Error()+bad.Value, "secret-token") {
		t.Errorf("got %v", bad)
	}
}

func TestLaunchResponsesAgainstSchemas(t *testing.T) {
	validate := validator(t)
	var docs [][]byte
	for _, extension := range [][]byte{
		AppendLaunchChkData(nil, &LaunchChkData{Phase: &LaunchPhase{Type: "claims"}, Names: []LaunchClaim{{Name: "a.example"}, {Name: "b.example", Exists: true}}}),
		AppendLaunchChkData(nil, &LaunchChkData{Names: []LaunchClaim{{Name: "a.example"}}}),
		AppendLaunchCreData(nil, sampleLaunchIDs()[0]),
		AppendLaunchInfData(nil, &LaunchInfData{Phase: LaunchPhase{Type: "open"}}),
		AppendLaunchInfData(nil, &LaunchInfData{Phase: LaunchPhase{Type: "sunrise"}, ApplicationID: "abc", Status: "custom", StatusName: "on hold", Marks: [][]byte{sampleMark(), sampleMark()}}),
		AppendAllocationToken(nil, &AllocationToken{Token: "a & b"}),
	} {
		docs = append(docs, AppendResponse(nil, &Response{Results: []Result{{Code: 1000, Msg: "ok"}}, Extension: extension, SvTRID: "abc"}))
	}
	for i, ok := range validate(docs) {
		if !ok {
			t.Errorf("does not validate: %s", docs[i])
		}
	}
}

// TestSignedMarksAreTakenWhole shows that what a signed mark holds is for later to judge.
func TestSignedMarksAreTakenWhole(t *testing.T) {
	signed := `<signedMark xmlns="` + NSSignedMark + `" id="smd1"><id>1-2</id></signedMark>`
	for _, test := range []struct {
		content string
		count   int
		ok      bool
	}{
		{signed, 1, true}, {signed + signed, 2, true}, {signed + `<encodedSignedMark xmlns="` + NSSignedMark + `"/>`, 0, false},
		{`<codeMark/>` + signed, 0, false}, {signed + `<codeMark/>`, 0, false},
	} {
		e, err := ParseElement([]byte(`<create xmlns="` + NSLaunch + `"><phase>sunrise</phase>` + test.content + `</create>`))
		if err != nil {
			t.Fatal(err)
		}
		got, bad := DecodeLaunchCreate(&e)
		if (bad == nil) != test.ok || test.ok && len(got.Signed) != test.count {
			t.Errorf("%s: %+v, %v", test.content, got, bad)
		}
	}
}
