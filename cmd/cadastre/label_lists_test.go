package main

import (
	"strings"
	"testing"
)

func TestPremiumFiles(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"good":       {"# a comment\ngold, tier-1, 500.00, 500, 80\nsilver,tier-2,1,1,1\n", ""},
		"few values": {"gold,tier-1,1,1\n", "a line is: label,class,create,renew,restore"},
		"price":      {"ok,x,1,1,1\ngold,tier-1,1;0,1,1\n", "line 2"},
		"label":      {"Gold,tier-1,1,1,1\n", "not a label in lower case"},
		"dot":        {"a.b,tier-1,1,1,1\n", "not a label in lower case"},
		"class":      {"gold,,1,1,1\n", "needs a price class"},
		"nothing":    {"# only this\n", "names no label"},
	} {
		a := &app{stdin: strings.NewReader(test.text)}
		names, err := a.readPremiumFile("-")
		switch {
		case test.want == "" && (err != nil || len(names) != 2 || names[0].GetCreatePriceMinor() != 50000 || names[0].GetClass() != "tier-1"):
			t.Errorf("%s: %v, %v", name, names, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestLabelFiles(t *testing.T) {
	a := &app{stdin: strings.NewReader("# a comment\n\n city \nmayor\n")}
	if labels, err := a.readLabelFile("-"); err != nil || strings.Join(labels, " ") != "city mayor" {
		t.Errorf("%q, %v", labels, err)
	}
	for _, text := range []string{"", "city\nMayor\n", "a b\n"} {
		a := &app{stdin: strings.NewReader(text)}
		if _, err := a.readLabelFile("-"); err == nil {
			t.Errorf("%q is taken for a list of labels", text)
		}
	}
}
