package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/internal/pause"
	"cadastre/registry"
	"cadastre/zone"
)

const (
	// importBatch is how many objects one call brings.
	importBatch = 500
	// importCalls is how many calls are under way.
	importCalls = 4
	// importPatience bounds the time in which calls fail one after another: an election and a restart take less.
	importPatience = 2 * time.Minute
	importRetry    = 500 * time.Millisecond
	// importSaveEvery is how often the state file follows.
	importSaveEvery = time.Second
	// maxSkippedShown bounds the skipped names on the screen; the report has all.
	maxSkippedShown = 10
)

// importOptions are the settings of an import.
type importOptions struct {
	registrar, registrant, tld, reason, state, report string
	period                                            uint32
	charged                                           bool
}

func newImportCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:     "import",
		Short:   "Take over registrations from elsewhere",
		Long:    "Makes registrations of what another registry has.",
		Example: "  cadastre import zone example.zone --registrar registrar-a --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newImportZoneCommand(a, flags))
	return cmd
}

func newImportZoneCommand(a *app, flags *connFlags) *cobra.Command {
	o := &importOptions{}
	cmd := &cobra.Command{
		Use:   "zone FILE",
		Short: "Make registrations of the delegations in a zone file",
		Long: `Registers every delegation of a zone file for one registrar: its name servers become
hosts, those inside the TLD with their addresses, and DS records are kept. The rules of
the TLD hold as for a create; what they refuse is skipped and reported with the reason.
Nothing is charged unless --charged is given, and nothing is charged twice.

The file has one whole record a line, as "cadastre zone export" and "named-compilezone -s
full" write it. An import that was cut off goes on where it was when it is started again;
what is there already with the same content stays as it is.`,
		Example: "  cadastre import zone example.zone --registrar registrar-a --registrant c-100 --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.registrar == "" {
				return &usageError{"--registrar ID is required"}
			}
			client, err := flags.dial(cmd.Context())
			if err != nil {
				return err
			}
			defer client.close()
			return importZone(cmd.Context(), a, client, args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.registrar, "registrar", "", "the registrar that gets the registrations")
	f.StringVar(&o.registrant, "registrant", "", "a contact of that registrar; needed where the TLD requires a registrant")
	f.StringVar(&o.tld, "tld", "", "the TLD (default: the owner of the file's SOA)")
	f.Uint32Var(&o.period, "period", 1, "years from now until the registrations expire")
	f.BoolVar(&o.charged, "charged", false, "charge the registrar as for creates")
	f.StringVar(&o.reason, "reason", "import", "what the history gives as the reason")
	f.StringVar(&o.state, "state", "", "where progress is kept (default: FILE.import)")
	f.StringVar(&o.report, "report", "", "where skipped names are listed (default: FILE.skipped)")
	return cmd
}

// importState is the content of the state file: how far the import of a file is.
type importState struct {
	SHA256    string `json:"sha256"`
	Registrar string `json:"registrar"`
	Done      int    `json:"done"` // jobs, in their order
	Created   int    `json:"created"`
	Present   int    `json:"present"`
	Refused   int    `json:"refused"`
}

// importZone imports a file.
func importZone(ctx context.Context, a *app, client *admin, path string, o *importOptions) error {
	o.state, o.report = firstNonEmpty(o.state, path+".import"), firstNonEmpty(o.report, path+".skipped")
	contents, sum, err := readZoneFile(path, registry.DomainName(o.tld))
	if err != nil {
		return err
	}
	inside, err := insideTLDs(ctx, client, contents.TLD)
	if err != nil {
		return err
	}
	state, err := loadImportState(o.state, sum, o.registrar)
	if err != nil {
		return err
	}
	report, err := openReport(o.report, state.Done > 0)
	if err != nil {
		return err
	}
	r := &importRun{
		client: client, options: o, state: state, report: report, jobs: planImport(contents, o, inside),
		bar: a.newProgressBar(),
	}
	if state.Done == 0 {
		for _, s := range contents.Skipped {
			r.skip(s.Line, string(s.Name), s.Reason)
		}
	}
	err = errors.Join(r.run(ctx), r.save(), report.close())
	r.bar.end()
	if err != nil {
		return err
	}
	return a.result(r.summary(contents), r.text(contents))
}

// readZoneFile reads the delegations of a file and its digest.
func readZoneFile(path string, tld registry.DomainName) (*zone.Contents, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", fmt.Errorf("read the zone file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	hash := sha256.New()
	contents, err := zone.ReadDelegations(io.TeeReader(bufio.NewReaderSize(f, 1<<16), hash), tld)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return contents, hex.EncodeToString(hash.Sum(nil)), nil
}

// insideTLDs returns whether a host lies in a TLD of the registry, and refuses a TLD that is none.
func insideTLDs(ctx context.Context, client *admin, tld registry.DomainName) (func(registry.DomainName) bool, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	response, err := client.ListTLDs(ctx, &clusterpb.ListTLDsRequest{})
	if err != nil {
		return nil, plainError(err)
	}
	var tlds []registry.DomainName
	for _, t := range response.GetTlds() {
		tlds = append(tlds, registry.DomainName(t.GetName()))
	}
	inside := func(name registry.DomainName) bool {
		for _, t := range tlds {
			if name == t || name.IsBelow(t) {
				return true
			}
		}
		return false
	}
	for _, t := range tlds {
		if t == tld {
			return inside, nil
		}
	}
	return nil, fmt.Errorf("the file is of .%s, which is no TLD of this registry", tld)
}

// loadImportState goes on with an earlier import of the same file for the same registrar.
func loadImportState(path, sum, registrar string) (*importState, error) {
	fresh := &importState{SHA256: sum, Registrar: registrar}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of the import: %w", err)
	}
	var state importState
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, fmt.Errorf("read the state of the import: %s is not one: %w", path, err)
	}
	if state.SHA256 != sum || state.Registrar != registrar {
		return nil, fmt.Errorf("%s is the state of an import of another file or for another registrar; remove it, or name another with --state", path)
	}
	return &state, nil
}

// save writes the state file whole or not at all.
func (r *importRun) save() error {
	text, err := json.Marshal(r.state)
	if err != nil {
		return err
	}
	temp := filepath.Join(filepath.Dir(r.options.state), "."+filepath.Base(r.options.state)+".new")
	if err := os.WriteFile(temp, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep the state of the import: %w", err)
	}
	return os.Rename(temp, r.options.state)
}

// call makes one call, again while the cluster cannot answer.
func (r *importRun) call(ctx context.Context, request *clusterpb.ZoneImportRequest) (*clusterpb.ZoneImportResponse, error) {
	began := time.Now()
	for {
		attempt, cancel := context.WithTimeout(ctx, 2*adminTimeout)
		response, err := r.client.ZoneImport(attempt, request)
		cancel()
		if err == nil && len(response.GetResults()) == len(request.GetCommands()) {
			return response, nil
		}
		if err == nil {
			return nil, errors.New("the node answers with another number of results")
		}
		err = plainError(err)
		refused, isRefusal := errors.AsType[*registry.Error](err)
		passing := !isRefusal || refused.Code == registry.CodeUnavailable || refused.Code == registry.CodeOutcomeUnknown || refused.Code == registry.CodeOverloaded
		if !passing || ctx.Err() != nil || time.Since(began) > importPatience {
			return nil, fmt.Errorf("import: %w (start it again to go on)", err)
		}
		if err := pause.For(ctx, importRetry); err != nil {
			return nil, err
		}
	}
}
