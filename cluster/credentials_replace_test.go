package cluster

import (
	"errors"
	"os"
	"testing"
)

// TestReplacementOfACertificateIsCutOff: a node that was killed while it took over a new
// certificate starts again, with the old one or the new one.
func TestReplacementOfACertificateIsCutOff(t *testing.T) {
	ca := newCA(t)
	for cut := range 4 {
		dir := t.TempDir()
		old, renewed := issue(t, ca, KindNode, "n1"), issue(t, ca, KindNode, "n1")
		if err := old.Write(dir); err != nil {
			t.Fatal(err)
		}
		other := t.TempDir()
		if err := renewed.Write(other); err != nil {
			t.Fatal(err)
		}
		from, to := PathsIn(other, "n1"), PathsIn(dir, "n1")
		read := func(path string) []byte {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
		killed := errors.New("killed")
		err := replaceFiles(to, read(from.CA), read(from.Certificate), read(from.Key), func(step int) error {
			if step == cut {
				return killed
			}
			return nil
		})
		if !errors.Is(err, killed) {
			t.Fatal(err)
		}
		creds, err := LoadCredentials(to, testLog(t))
		if err != nil {
			t.Fatalf("cut off behind step %d: %v", cut, err)
		}
		want := old.Certificate
		if cut >= 2 { // its key is in place
			want = renewed.Certificate
		}
		if !creds.Certificate().Equal(want) {
			t.Errorf("cut off behind step %d: another certificate than expected is in use", cut)
		}
		if _, err := os.Stat(to.Certificate + nextSuffix); err == nil {
			t.Errorf("cut off behind step %d: a certificate waits still", cut)
		}
	}
}
