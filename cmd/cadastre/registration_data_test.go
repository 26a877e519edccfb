package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
)

// askRDAP returns the status and the body of an answer; cert is a client certificate, the zero value for none.
func askRDAP(ctx context.Context, info *devcluster.Info, n devcluster.Node, path string, cert devcluster.Files) (int, string, error) {
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(info.CA)
	if err != nil {
		return 0, "", err
	}
	roots.AppendCertsFromPEM(ca)
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if cert.Cert != "" {
		pair, err := tls.LoadX509KeyPair(cert.Cert, cert.Key)
		if err != nil {
			return 0, "", err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, Timeout: 20 * time.Second}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.RDAP+path, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// TestRegistrationDataWithoutVoters asks a replica for the same things before and after all voters are gone, as the
// public, a registrar and an authorised requester.
func TestRegistrationDataWithoutVoters(t *testing.T) {
	c := devtest.Start(t, program(t), "--nodes", "1", "--replicas", "1")
	c.MustCLI("epp", "create", "contact", "c-holder", "--name", "Hidden Holder", "--city", "Bern", "--cc", "CH", "--email", "holder@example.net")
	c.MustCLI("epp", "create", "domain", "kept.example", "--registrant", "c-holder")
	c.MustCLI("registrar", "set", "registrar-a", "--abuse-email", "abuse@a.test", "--abuse-phone", "+41.310000000", "--rdap-url", "https://rdap.a.test/", "--street", "Main Street 1", "--city", "Bern", "--country", "CH")
	dir := t.TempDir()
	caDir := filepath.Join(c.Dir, "ca")
	if made := devtest.Run(t, program(t), "ca", "requester", "police", "--dir", caDir, "--out", dir); made.Code != 0 {
		t.Fatalf("make a certificate: %+v", made)
	}
	police := devcluster.Files{Cert: filepath.Join(dir, "police.crt"), Key: filepath.Join(dir, "police.key")}
	c.MustCLI("disclosure", "grant", "police", "--requester-cert", police.Cert, "--purpose", "case 7", "--days", "2")
	info, replica := c.Info(), c.Node("n2")
	own := info.Registrars[0].Files

	ask := func(cert devcluster.Files) (string, error) {
		status, body, err := askRDAP(t.Context(), info, replica, "domain/kept.example", cert)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("RDAP answers %d: %s", status, body)
		}
		return body, err
	}
	whole := func(cert devcluster.Files, want bool) func() error {
		return func() error {
			body, err := ask(cert)
			if err == nil && strings.Contains(body, "Hidden Holder") != want {
				err = fmt.Errorf("the holder is to be shown %v: %s", want, body)
			}
			return err
		}
	}
	c.Eventually(30*time.Second, "an answer to the public", func() error {
		body, err := ask(devcluster.Files{})
		if err == nil && (!strings.Contains(body, "abuse@a.test") || strings.Contains(body, "Hidden Holder")) {
			err = errors.New(body)
		}
		return err
	})
	c.Eventually(30*time.Second, "an answer to the sponsor", whole(own, true))
	c.Eventually(30*time.Second, "an answer to another registrar", whole(info.Registrars[1].Files, false))
	c.Eventually(30*time.Second, "an answer to the requester", whole(police, true))
	if log := c.MustCLI("disclosure", "log"); !strings.Contains(log, "police") || !strings.Contains(log, "case 7") || !strings.Contains(log, "domain kept.example") || !strings.Contains(log, "n2") {
		t.Errorf("on record is\n%s", log)
	}
	if _, body := get(t, replica.Metrics); !strings.Contains(body, `cadastre_rdap_lookups_total{class="domain"}`) || !strings.Contains(body, "cadastre_rdap_disclosures_total") {
		t.Error("the replica exports no numbers about RDAP")
	}

	c.KillNode("n1")
	c.Eventually(30*time.Second, "RDAP without voters", whole(devcluster.Files{}, false))
	c.Eventually(30*time.Second, "RDAP for the sponsor without voters", whole(own, true))
	body, err := ask(police)
	if err != nil || strings.Contains(body, "Hidden Holder") || !strings.Contains(body, "could not be put on record") {
		t.Errorf("without a leader the requester is answered %v %s", err, body)
	}
	if answer, err := askWHOIS(t.Context(), replica.WHOIS, "kept.example"); err != nil || !strings.Contains(answer, "Domain Name: kept.example") {
		t.Errorf("without voters WHOIS says %v %q", err, answer)
	}
	if reply, err := queryDNS(t.Context(), replica.DNS, "example", dns.TypeSOA); err != nil || len(reply.Answer) == 0 {
		t.Errorf("without voters DNS says %v %v", err, reply)
	}
}
