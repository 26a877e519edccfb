package eppxml

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// allocated returns the octets that fn allocates in all, whether freed or not.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// padTo fills a frame up to the largest size with pieces.
func padTo(size int, open, piece, end string) []byte {
	times := (size - len(open) - len(end)) / len(piece)
	return []byte(open + strings.Repeat(piece, times) + end)
}

// TestRefusingTakesLittleMemory: what is refused takes less than what is admitted may take
// (TestDecodeMemoryIsBounded), however it tries to grow.
func TestRefusingTakesLittleMemory(t *testing.T) {
	const most = 20 * MaxFrame
	laughs := `<!DOCTYPE lolz [<!ENTITY lol "lol">`
	for _, name := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		laughs += `<!ENTITY lol` + name + ` "` + strings.Repeat("&lol;", 10) + `">`
	}
	for name, frame := range map[string][]byte{
		"billion laughs":       []byte(laughs + `]><epp>&lol9;</epp>`),
		"quadratic entities":   padTo(MaxFrame, `<!DOCTYPE e [<!ENTITY a "`+strings.Repeat("a", 1000)+`">]><e>`, "&a;", "</e>"),
		"parameter entities":   []byte(`<!DOCTYPE e [<!ENTITY % x SYSTEM "file:///dev/zero">%x;]><e/>`),
		"deep nesting":         padTo(MaxFrame, "", "<a>", ""),
		"deep in an extension": padTo(MaxFrame, `<epp xmlns="`+NSEPP+`"><command><logout/><extension>`, `<x xmlns="u">`, ""),
		"huge attribute":       padTo(MaxFrame, `<epp a="`, "x", `"/>`),
		"huge name":            padTo(MaxFrame, "<", "x", "/>"),
		"many attributes":      padTo(MaxFrame, "<epp", ` a=""`, "/>"),
		"many namespaces":      padTo(MaxFrame, "<epp", ` xmlns:a="u"`, "/>"),
		"huge text":            padTo(MaxFrame, command("<clTRID>")[:50], "x", ""),
		"huge comment":         padTo(MaxFrame, "<!--", "x", ""),
		"huge cdata":           padTo(MaxFrame, "<a><![CDATA[", "x", ""),
		"huge instruction":     padTo(MaxFrame, "<?x ", "x", "?><epp/>"),
		"huge doctype":         padTo(MaxFrame, "<!DOCTYPE x [", "<!ELEMENT a ANY>", "]><epp/>"),
		"references":           padTo(MaxFrame, "<a>", "&#x10FFFF;", "</a>"),
	} {
		var err error
		used := allocated(func() { _, err = Decode(frame) })
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindSyntax {
			t.Errorf("%s: error %v, want a syntax error", name, err)
		}
		if used > most {
			t.Errorf("%s: %d octets allocated to refuse a frame of %d, want at most %d", name, used, len(frame), most)
		}
	}
}

// endless never ends and counts what is read from it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

// TestLyingLengthsTakeNoMemory: the length of a frame is judged before anything is allocated
// or read for it.
func TestLyingLengthsTakeNoMemory(t *testing.T) {
	for _, length := range []uint32{0xFFFFFFFF, 1 << 31, 1 << 24, MaxFrame + 5, 3, 0} {
		body := &endless{}
		r := io.MultiReader(bytes.NewReader(binary.BigEndian.AppendUint32(nil, length)), body)
		var err error
		used := allocated(func() { _, err = ReadFrame(r, MaxFrame) })
		if _, ok := errors.AsType[*FrameError](err); !ok || body.read > 0 || used > 16<<10 {
			t.Errorf("length %d: error %v after %d octets of the frame, with %d allocated", length, err, body.read, used)
		}
	}
}

// TestTheDecoderCannotReachFilesOrTheNetwork: nothing that it is built from can, whatever an
// external entity asks for.
func TestTheDecoderCannotReachFilesOrTheNetwork(t *testing.T) {
	// The nouns of the registry are the one package of ours that the codec may use; they are held to the same.
	out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, ".", "cadastre/registry").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imports := strings.Fields(string(out))
	if len(imports) == 0 {
		t.Fatal("go list names no imports")
	}
	for _, path := range imports {
		if path == "cadastre/registry" || path == "cadastre/idn" || path == "net/netip" {
			continue
		}
		switch first, _, _ := strings.Cut(path, "/"); first {
		case "os", "net", "syscall", "plugin", "unsafe", "cadastre", "embed":
			t.Errorf("the codec imports %s", path)
		}
		if path == "encoding/xml" || path == "io/fs" || path == "io/ioutil" {
			t.Errorf("the codec imports %s", path)
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, frame := range []string{
		`<!DOCTYPE epp [<!ENTITY x SYSTEM "file://` + secret + `">]><epp>&x;</epp>`,
		`<!DOCTYPE epp SYSTEM "file://` + secret + `"><epp/>`,
		`<epp xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file://` + secret + `" parse="text"/></epp>`,
		`<epp xmlns="` + NSEPP + `" xmlns:xsi="` + nsXSI + `" xsi:schemaLocation="` + NSEPP + ` file://` + secret + `"><x/></epp>`,
	} {
		if _, err := Decode([]byte(frame)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", frame, err)
		}
	}
}
