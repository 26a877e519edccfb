package eppxml

import "testing"

func sampleFees() []Fee {
	return []Fee{
		{Amount: "10.5", Description: "Registration & more", Lang: "en", Refundable: ptr(true), GracePeriod: "P5D", Applied: "immediate"},
		{Amount: "0", Refundable: ptr(false), GracePeriod: "P1Y2M3DT4H5M6.7S", Applied: "delayed"},
	}
}

// feeCodecs are what clients send of the fee extension.
func feeCodecs() []extensionCodec {
	check := extensionCodec{name: "fee check", decode: func(e *Element) (any, *Error) { return orNil(DecodeFeeCheck(e)) }}
	for _, v := range []*FeeCheck{
		{Currency: "EUR", Commands: []FeeCommand{{Name: FeeCreate, Period: Period{Count: 2, Unit: UnitYear}}, {Name: FeeRenew}, {Name: FeeTransfer}, {Name: FeeRestore}}},
		{Commands: []FeeCommand{{Name: FeeCustom, CustomName: "sync", Phase: "sunrise", Subphase: "hello", Period: Period{Count: 99, Unit: UnitMonth}}}},
	} {
		check.samples, check.values = append(check.samples, AppendFeeCheck(nil, v)), append(check.values, v)
	}
	codecs := []extensionCodec{check}
	for _, name := range []string{"create", "renew", "transfer", "update"} {
		codec := extensionCodec{name: "fee " + name, decode: func(e *Element) (any, *Error) { return orNil(DecodeFeeTransform(e, name)) }}
		for _, v := range []*FeeTransform{
			{Currency: "USD", Fees: sampleFees(), Credits: []Fee{{Amount: "-5.25", Description: "Discount", Lang: "de"}, {Amount: "0"}}}, {Fees: sampleFees()[1:]},
		} {
			codec.samples, codec.values = append(codec.samples, AppendFeeTransform(nil, name, v)), append(codec.values, v)
		}
		codecs = append(codecs, codec)
	}
	return codecs
}

// feeTexts are values that the facets of the fee extension tell apart.
func feeTexts() []string {
	return []string{
		"EUR", "eur", "EURO", " EUR ", "5.00", "+5", "-5.00", "-0.00", ".5", "5.", ".", "+", "1e3", "0.001", "INF",
		"P5D", "-P5D", "PT5H", "P", "PT", "P5DT", "P5", "P5D5Y", "P1.5D", "PT1.5S", "P1YT1M", "P5H", "p5d", "immediate", "delayed", "restore", "custom", "m",
	}
}

func TestFeeResponsesAgainstSchemas(t *testing.T) {
	validate := validator(t)
	result := &FeeResult{Currency: "EUR", Period: Period{Count: 2, Unit: UnitYear}, Fees: sampleFees(), Credits: []Fee{{Amount: "-5.25"}}, Balance: "-1.00", CreditLimit: "10.00"}
	extensions := [][]byte{AppendFeeChkData(nil, &FeeChkData{Currency: "EUR", Objects: []FeeObject{
		{ID: "a.example", Avail: true, Class: "standard", Commands: []FeeQuote{
			{FeeCommand: FeeCommand{Name: FeeCreate, Period: Period{Count: 1, Unit: UnitYear}}, Standard: true, Fees: sampleFees(), Credits: []Fee{{Amount: "-1"}}},
			{FeeCommand: FeeCommand{Name: FeeCustom, CustomName: "a<b", Phase: "p", Subphase: "s"}, Reason: "no & no"},
		}},
		{ID: "b.example", Reason: "no"},
	}})}
	for _, name := range []string{"creData", "renData", "trnData", "updData", "delData"} {
		extensions = append(extensions, AppendFeeResult(nil, name, result), AppendFeeResult(nil, name, &FeeResult{}))
	}
	var docs [][]byte
	for _, extension := range extensions {
		docs = append(docs, AppendResponse(nil, &Response{Results: []Result{{Code: 1000, Msg: "ok"}}, Extension: extension, SvTRID: "abc"}))
	}
	for i, ok := range validate(docs) {
		if !ok {
			t.Errorf("does not validate: %s", docs[i])
		}
	}
}

func TestDecimal(t *testing.T) {
	for in, want := range map[string]string{
		"5": "5", "+5.00": "5", "-5.10": "-5.1", "-0.00": "0", ".5": "0.5", "5.": "5", "007": "7", "": "", ".": "", "+-5": "", "1e3": "", "1 0": "", "--1": "",
	} {
		if got, ok := canonicalDecimal(in); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
}
