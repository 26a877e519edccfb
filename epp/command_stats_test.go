package epp

import (
	"fmt"
	"testing"
	"time"

	"cadastre/epp/eppxml"
)

func TestCommandStatsAreBounded(t *testing.T) {
	var s commandStats
	for i := range 1000 {
		s.note(eppxml.Verb(fmt.Sprint("verb", i)), 2000, time.Millisecond)
	}
	s.note("", 2001, time.Millisecond)
	list := s.snapshot()
	if len(list) > maxCountedVerbs+1 {
		t.Errorf("%d verbs are counted", len(list))
	}
	var total, malformed uint64
	for _, c := range list {
		total += c.Seconds.Count
		if c.Verb == otherVerb {
			malformed = c.Results[2001]
		}
	}
	if total != 1001 || malformed != 1 {
		t.Errorf("%d commands counted, %d malformed", total, malformed)
	}
}
