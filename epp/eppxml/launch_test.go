package eppxml

import (
	"strings"
	"testing"
)

// launchCodecs are those of how names are given out.
func launchCodecs() []extensionCodec {
	// Nearly every text is a token: many samples make enough mutants that are none.
	var tokens []*AllocationToken
	for i := range 12 {
		tokens = append(tokens, &AllocationToken{Token: "abc 123" + strings.Repeat("t", 25*i)})
	}
	return []extensionCodec{
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
