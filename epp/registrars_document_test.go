package epp

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"cadastre/fsm/fsmpb"
)

// registrarsDocument is what registrars read. Its frames are sent, and its answers compared.
const registrarsDocument = "../docs/registrars.md"

// TestRegistrarsDocument runs docs/registrars.md against a real server: every frame is sent in
// order, on one connection for each registrar, and every answer must be the one shown, with what
// is random masked. All frames, of both sides, must be valid against the schemas. What moves the
// clock in the document moves that of the test; what an operator does stands in comments.
func TestRegistrarsDocument(t *testing.T) {
	data, err := os.ReadFile(registrarsDocument)
	if err != nil {
		t.Fatal(err)
	}
	frames := &frameCollector{}
	s := &script{t: t, h: newHarness(t, Limits{}, io.Discard), clients: map[string]*client{}, frames: frames}
	block := regexp.MustCompile("(?s)```(xml [a-z]+|sh)\n(.*?)```|<!-- operator (.*?) -->")
	answer, sent := "", 0
	text := block.ReplaceAllStringFunc(string(data), func(found string) string {
		parts := block.FindStringSubmatch(found)
		switch kind := parts[1]; {
		case parts[3] != "":
			var command fsmpb.Command
			if err := protojson.Unmarshal([]byte(parts[3]), &command); err != nil {
				t.Fatalf("%s: %v", parts[3], err)
			}
			s.h.registry.operator(t, &command)
		case kind == "sh":
			s.advanceAsIn(parts[2])
		case kind == "xml answer":
			if !*update && strings.TrimSpace(parts[2]) != answer {
				t.Errorf("the document shows\n%s\nthe server says\n%s", parts[2], answer)
			}
			return "```xml answer\n" + answer + "\n```"
		default:
			sent++
			answer = s.documentFrame(strings.TrimPrefix(kind, "xml "), strings.TrimSpace(parts[2]))
		}
		return found
	})
	if *update && !t.Failed() {
		if err := os.WriteFile(registrarsDocument, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if sent < 30 {
		t.Errorf("the document has only %d frames", sent)
	}
	t.Run("schema", func(t *testing.T) { frames.validate(t) })
}

// documentFrame sends a frame of the document on the registrar's connection.
func (s *script) documentFrame(who, frame string) string {
	s.t.Helper()
	id := map[string]string{"a": registrarA, "b": registrarB}[who]
	if id == "" {
		s.t.Fatalf("the document has a frame of %q", who)
	}
	c := s.clients[who]
	if c == nil {
		c = s.h.dial(s.t, id)
		s.clients[who] = c
	}
	s.frames.add(s.t.Name(), []byte(frame))
	return s.exchange(c, frame)
}

// advanceAsIn moves the clock as far as the commands of the document do.
func (s *script) advanceAsIn(commands string) {
	s.t.Helper()
	for _, found := range regexp.MustCompile(`clock .*advance (\d+)d`).FindAllStringSubmatch(commands, -1) {
		days, err := strconv.Atoi(found[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.h.registry.advance(s.t, time.Duration(days)*24*time.Hour)
	}
}
