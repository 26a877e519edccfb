package cluster

import (
	"strings"
	"testing"
	"time"
)

func TestPromotions(t *testing.T) {
	const stable = 10 * time.Second
	fit := func(ids ...string) (list []voterCandidate) {
		for i, id := range ids {
			list = append(list, voterCandidate{id: id, well: stable + time.Duration(len(ids)-i)*time.Second})
		}
		return list
	}
	tests := []struct {
		label      string
		voters     int
		candidates []voterCandidate
		want       string
	}{
		{"nobody waits", 3, nil, ""},
		{"one beside one would make two", 1, fit("n2"), ""},
		{"two beside one make three", 1, fit("n2", "n3"), "n2 n3"},
		{"three beside one: the longest fit two", 1, fit("n2", "n3", "n4"), "n2 n3"},
		{"four beside one make five", 1, fit("n2", "n3", "n4", "n5"), "n2 n3 n4 n5"},
		{"one beside two makes three", 2, fit("n3"), "n3"},
		{"two beside two: one", 2, fit("n3", "n4"), "n3"},
		{"one beside three would make four", 3, fit("n4"), ""},
		{"not stable yet", 2, []voterCandidate{{id: "n3", well: stable - 1}}, ""},
		{"not well", 2, []voterCandidate{{id: "n3"}}, ""},
		{"one fit, one not, beside one", 1, append(fit("n2"), voterCandidate{id: "n3"}), ""},
		{"the id breaks ties", 1, []voterCandidate{{id: "b", well: stable}, {id: "a", well: stable}}, "a b"},
	}
	for _, tt := range tests {
		var got []string
		for _, c := range promotions(tt.voters, tt.candidates, stable) {
			got = append(got, c.id)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: promoted %q, want %q", tt.label, got, tt.want)
		}
		if len(got) > 0 && (tt.voters+len(got))%2 == 0 {
			t.Errorf("%s: leaves %d voters", tt.label, tt.voters+len(got))
		}
	}
}
