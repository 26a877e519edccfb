package idn_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cadastre/idn"
)

func TestULabel(t *testing.T) {
	for _, test := range []struct{ a, u string }{
		{"xn--bcher-kva", "bücher"},
		{"xn--strae-oqa", "straße"},
		{"xn--fiqs8s", "中国"},
		{"xn--p1ai", "рф"},
		{"xn--wgbh1c", "مصر"},
		{"xn--4dbrk0ce", "ישראל"},
		{"xn--j6w193g", "香港"},
		{"xn--qxam", "ελ"},
	} {
		u, err := idn.ULabel(test.a)
		if err != nil || u != test.u {
			t.Errorf("ULabel(%q) = %q, %v, want %q", test.a, u, err, test.u)
		}
		a, err := idn.ALabel(test.u)
		if err != nil || a != test.a {
			t.Errorf("ALabel(%q) = %q, %v, want %q", test.u, a, err, test.a)
		}
	}
}

func TestLabelsThatAreRefused(t *testing.T) {
	for _, test := range []struct{ name, u, want string }{
		{"upper case", "Bücher", "U+0042"},
		{"not composed", "bu\u0308cher", "Normalization Form C"},
		{"leading mark", "\u0301abc", "combining mark"},
		{"hyphens", "üb--er", "third and fourth"},
		{"leading hyphen", "-über", "begins or ends"},
		{"only ASCII", "example", "beyond ASCII"},
		{"full width", "ａbc", "U+FF41"},
		{"symbol", "i❤u", "U+2764"},
		{"emoji", "😀", "U+1F600"},
		{"tatweel", "مـصر", "U+0640"},
		{"middle dot", "a·b", "U+00B7"},
		{"keraia", "͵a", "U+0375"},
		{"geresh", "a׳", "U+05F3"},
		{"katakana dot alone", "a・b", "U+30FB"},
		{"two kinds of digits", "ا٠۰", "U+0660"},
		{"joiner", "a\u200db", "joiner"},
		{"non-joiner", "ü\u200cb", "joiner"},
		{"right to left and left to right", "אa", "Bidi"},
		{"right to left after a digit", "1א", "Bidi"},
		{"unassigned", "a\U000e0fff", "U+E0FFF"},
		{"not UTF-8", "a\xff", "UTF-8"},
		{"old jamo", "\u1100", "U+1100"},
		{"a mark that is ignored", "ü\ufe0f", "U+FE0F"},
		{"too long", strings.Repeat("ü", 63), "63 octets"},
	} {
		_, err := idn.ALabel(test.u)
		var refused *idn.Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, test.want) {
			t.Errorf("%s: ALabel(%q) = %v, want a refusal with %q", test.name, test.u, err, test.want)
		}
	}
	for _, u := range []string{"col·lega", "͵α", "א׳", "ア・イ", "क्\u200dष", "نامه\u200cای", "א1", "ßß", "λόγος"} {
		if _, err := idn.ALabel(u); err != nil {
			t.Errorf("ALabel(%q): %v", u, err)
		}
	}
}

func TestALabelsThatAreRefused(t *testing.T) {
	for _, a := range []string{
		"xn--", "xn--a", "xn--bcher-KVA", "XN--bcher-kva", "xn--example-", "xn--99999999999", "bücher", "xn---", "xn--BCHER-kva",
		"xn--abc-", "xn--xn--bcher-kva-1", "xn--\xff",
	} {
		if u, err := idn.ULabel(a); err == nil {
			t.Errorf("ULabel(%q) = %q, want a refusal", a, u)
		}
	}
}

func TestNames(t *testing.T) {
	if got := idn.Display("www.xn--bcher-kva.xn--a.example"); got != "www.bücher.xn--a.example" {
		t.Errorf("Display: %q", got)
	}
	if got, err := idn.ASCII("WWW.Bu\u0308CHER.example"); err != nil || got != "WWW.xn--bcher-kva.example" {
		t.Errorf("ASCII: %q, %v", got, err)
	}
	if _, err := idn.ASCII("a·b.example"); err == nil {
		t.Error("ASCII admits a label that cannot be")
	}
	if err := idn.CheckBidi("1a", "xn--wgbh1c"); err == nil {
		t.Error("a label that begins with a digit is admitted below a name from right to left")
	}
	if err := idn.CheckBidi("1a", "example"); err != nil {
		t.Error(err)
	}
}

// TestBuiltinTables reads every file: the program passes over one that does not parse.
func TestBuiltinTables(t *testing.T) {
	files, err := filepath.Glob("tables/*.txt")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	var all []*idn.Table
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		table, err := idn.ParseTable(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if want := strings.TrimSuffix(filepath.Base(file), ".txt"); strings.ToLower(table.Tag) != want {
			t.Errorf("%s has the tag %s", file, table.Tag)
		}
		if found, ok := idn.Builtin(table.Tag); !ok || found.Name != table.Name || table.Name == "" || table.Version == "" {
			t.Errorf("%s: Builtin(%q) = %v", file, table.Tag, found)
		}
		all = append(all, table)
	}
	if len(idn.BuiltinTags()) != len(files) {
		t.Errorf("tags: %v", idn.BuiltinTags())
	}
	if _, err := idn.NewSet(all); err != nil {
		t.Errorf("the tables cannot be offered together: %v", err)
	}
}

func set(t interface{ Fatalf(string, ...any) }, tags ...string) *idn.Set {
	var tables []*idn.Table
	for _, tag := range tags {
		table, found := idn.Builtin(tag)
		if !found {
			t.Fatalf("no table %s", tag)
		}
		tables = append(tables, table)
	}
	s, err := idn.NewSet(tables)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

func TestVariants(t *testing.T) {
	s := set(t, "de", "ru", "el", "ar")
	for _, same := range [][]string{
		{"straße", "strasse"}, {"сосо", "coco"}, {"λόγος", "λογοσ", "λόγοσ"}, {"٠١", "01"}, {"على", "علي"}, {"αρα", "apa"},
	} {
		for _, label := range same[1:] {
			if s.Key(label) != s.Key(same[0]) {
				t.Errorf("%q has the key %q, %q has %q", label, s.Key(label), same[0], s.Key(same[0]))
			}
		}
	}
	if s.Key("müller") == s.Key("muller") {
		t.Error("ü and u are variants")
	}
	if table, found := s.Deduce("λόγος"); !found || table.Tag != "el" {
		t.Errorf("deduced %v", table)
	}
	if table, found := s.Deduce("λόгос"); found {
		t.Errorf("scripts are mixed under %s", table.Tag)
	}
	if table, found := s.Table("EL"); !found || table.Check("λόγος") != nil || table.Check("сосо") == nil {
		t.Error("the table el is not found, or checks wrongly")
	}
}

func TestSameKeys(t *testing.T) {
	de, both := set(t, "de"), set(t, "de", "ru")
	if err := de.SameKeys(both); err != nil {
		t.Errorf("a table beside: %v", err)
	}
	if err := both.SameKeys(de); err == nil {
		t.Error("the variants of ru can be lost")
	}
	if err := set(t, "fr", "de").SameKeys(set(t, "de")); err != nil {
		t.Errorf("a table without variants cannot go: %v", err)
	}
}

func TestTablesThatAreRefused(t *testing.T) {
	head := "tag: x\nscripts: Cyrillic\n"
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "no tag"},
		{"no scripts", "tag: x\n0061", "no scripts"},
		{"no code points", head, "no code points"},
		{"mixed scripts", "tag: x\nscripts: Latin Cyrillic\n0061", "not mixed"},
		{"unknown script", "tag: x\nscripts: Klingonese\n0061", "not a script"},
		{"another script", head + "0061", "not of its scripts"},
		{"upper case", head + "0410", "not allowed"},
		{"twice", head + "0430-0440\n0435", "twice"},
		{"backwards", head + "0440-0430", "after it begins"},
		{"not hexadecimal", head + "zzzz", "hexadecimal"},
		{"beyond Unicode", head + "110000", "hexadecimal"},
		{"variant of nothing", head + "0430\n0430 ->", "variant of 1 to"},
		{"ASCII variant", head + "0430\n0061 -> 0430", "beyond ASCII"},
		{"circle", head + "0430-0431\n0430 -> 0431\n0431 -> 0430", "circle"},
		{"growing circle", head + "0430\n0430 -> 0430 0431", "circle"},
		{"two variants", head + "0430\n0430 -> 0431\n0430 -> 0432", "two sequences"},
		{"variant that is no letter", head + "0430\n0430 -> 2764", "not allowed"},
		{"unknown key", "colour: red", "want tag"},
		{"bad tag", "tag: a b", "letters"},
		{"too many", "tag: x\nscripts: Han\n4E00-9FFF\n3400-4DBF\n20000-2A6DF", "more than"},
		{"too long", strings.Repeat("#", idn.MaxTableBytes+1), "octets"},
	} {
		_, err := idn.ParseTable(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := idn.ParseTable("tag: ja\nscripts: Han Hiragana Katakana\n3041-3096\n30A1-30FA\n30FB\n4E00-9FFF"); err != nil {
		t.Errorf("scripts of East Asia: %v", err)
	}
}

// TestKeysAreStable: the key of a key is the key, and equal labels have equal keys.
func TestKeysAreStable(t *testing.T) {
	s := set(t, idn.BuiltinTags()...)
	alphabet := []rune("aoxsß-0сомеёλοςσόاىي٠é")
	rapid.Check(t, func(t *rapid.T) {
		label := string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 1, 20).Draw(t, "label"))
		key := s.Key(label)
		if again := s.Key(key); again != key {
			t.Fatalf("the key of %q is %q, and of that %q", label, key, again)
		}
	})
}

func FuzzULabel(f *testing.F) {
	for _, seed := range []string{"xn--bcher-kva", "xn--fiqs8s", "xn--", "xn--a-ecp", "xn--0000h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, a string) {
		u, err := idn.ULabel(a)
		if err != nil {
			return
		}
		if back, err := idn.ALabel(u); err != nil || back != a {
			t.Errorf("%q is %q, and that %q, %v", a, u, back, err)
		}
	})
}

func FuzzParseTable(f *testing.F) {
	for _, tag := range []string{"el", "de", "ar"} {
		text, err := os.ReadFile("tables/" + tag + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		table, err := idn.ParseTable(text)
		if err != nil {
			return
		}
		again, err := idn.LoadTable(text)
		if err != nil || again.Tag != table.Tag {
			t.Errorf("an accepted table does not load: %v", err)
		}
		if _, err := idn.NewSet([]*idn.Table{table}); err != nil {
			t.Errorf("an accepted table cannot be offered: %v", err)
		}
	})
}

func TestTagsAreSorted(t *testing.T) {
	if tags := idn.BuiltinTags(); !slices.IsSorted(tags) {
		t.Errorf("%v", tags)
	}
}
