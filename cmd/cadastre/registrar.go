package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/internal/argon2id"
	"cadastre/registry"
)

// EPP passwords have 6 to 16 characters (RFC 5730 section 4.1, pwType).
const (
	minPasswordChars = 6
	maxPasswordChars = 16
)

func newRegistrarCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:     "registrar",
		Short:   "Create, list and change registrars",
		Long:    "Registrars are replicated data: their certificates and passwords for EPP, the TLDs that they may register in, and their money.",
		Example: "  cadastre registrar list --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newRegistrarCreateCommand(a, flags), newRegistrarListCommand(a, flags), newRegistrarSetCommand(a, flags), newRegistrarLedgerCommand(a, flags))
	return cmd
}

type registrarDocument struct {
	ID            string   `json:"id"`
	ROID          string   `json:"roid"`
	Name          string   `json:"name"`
	Email         string   `json:"email"`
	URL           string   `json:"url"`
	IANAID        uint32   `json:"iana_id"`
	State         string   `json:"state"`
	TLDs          []string `json:"tlds"`
	Currency      string   `json:"currency"`
	Balance       string   `json:"balance"`
	CreditLimit   string   `json:"credit_limit"`
	LowBalance    string   `json:"low_balance"`
	Certificates  []string `json:"certificate_sha256"`
	Sources       []string `json:"sources"`
	ThinTLDs      []string `json:"thin_tlds"`
	QueryRate     uint32   `json:"query_rate"`
	TransformRate uint32   `json:"transform_rate"`
	CreatedAt     string   `json:"created_at"`

	Public    registrarPublicDocument `json:"public"`
	UpdatedAt string                  `json:"updated_at"`
}

func newRegistrarListCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the registrars with their balances",
		Long:    "Lists the registrars of the cluster with their states and money.",
		Example: "  cadastre registrar list --dev /tmp/cadastre --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.ListRegistrars(ctx, &clusterpb.ListRegistrarsRequest{})
				if err != nil {
					return plainError(err)
				}
				rows := [][]string{{"REGISTRAR", "NAME", "STATE", "TLDS", "BALANCE", "CREDIT", "CURRENCY"}}
				documents := []registrarDocument{}
				for _, r := range response.GetRegistrars() {
					d := registrarDocumentOf(r)
					documents = append(documents, d)
					rows = append(rows, []string{d.ID, d.Name, d.State, strings.Join(d.TLDs, ","), d.Balance, d.CreditLimit, d.Currency})
				}
				return a.result(documents, table(rows))
			})
		},
	}
}

func registrarDocumentOf(r *clusterpb.Registrar) registrarDocument {
	d := registrarDocument{
		ID: r.GetId(), ROID: r.GetRoid(), Name: r.GetName(), Email: r.GetEmail(), URL: r.GetUrl(), IANAID: r.GetIanaId(),
		State: registry.RegistrarState(r.GetState()).String(), TLDs: append([]string{}, r.GetTlds()...), Currency: r.GetCurrency(),
		Balance: registry.FormatMinorUnits(r.GetBalanceMinor()), CreditLimit: registry.FormatMinorUnits(r.GetCreditLimitMinor()), LowBalance: registry.FormatMinorUnits(r.GetLowBalanceMinor()),
		Sources: append([]string{}, r.GetSources()...), ThinTLDs: append([]string{}, r.GetThinTlds()...), QueryRate: r.GetQueryRate(), TransformRate: r.GetTransformRate(),
		Public: registrarPublicDocumentOf(r.GetPublic()), Certificates: []string{}, CreatedAt: instant(r.GetCreatedAtMs()), UpdatedAt: instant(r.GetUpdatedAtMs()),
	}
	for _, fingerprint := range r.GetCertificateSha256() {
		d.Certificates = append(d.Certificates, hex.EncodeToString(fingerprint))
	}
	return d
}

// readPassword reads a password from the first line of a file, or asks for it.
func (a *app) readPassword(file string) (string, error) {
	if file != "" {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		line, _, _ := strings.Cut(string(content), "\n")
		return checkPassword(strings.TrimSuffix(line, "\r"))
	}
	a.say("Password: ")
	if f, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		secret, err := term.ReadPassword(int(f.Fd()))
		a.say("\n")
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return checkPassword(string(secret))
	}
	line, err := bufio.NewReader(io.LimitReader(a.stdin, maxAnswerBytes)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return checkPassword(strings.TrimRight(line, "\r\n"))
}

func checkPassword(password string) (string, error) {
	if n := len([]rune(password)); n < minPasswordChars || n > maxPasswordChars {
		return "", fmt.Errorf("a password for EPP has %d to %d characters", minPasswordChars, maxPasswordChars)
	}
	return password, nil
}

// hashPassword hashes with a random salt.
func hashPassword(password string) string {
	salt := make([]byte, argon2id.SaltBytes)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the process instead
	return argon2id.Hash(password, salt)
}

// readFingerprints returns the fingerprints of certificates in PEM files.
func readFingerprints(files []string) ([][]byte, error) {
	var fingerprints [][]byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the certificate: %w", err)
		}
		block, _ := pem.Decode(content)
		if block == nil {
			return nil, fmt.Errorf("%s holds no PEM certificate", file)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		fingerprints = append(fingerprints, cluster.Fingerprint(cert))
	}
	return fingerprints, nil
}
