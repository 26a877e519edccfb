package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/zone"
)

// importJob is one command of an import.
type importJob struct {
	line       int // in the file; 0 for hosts, which stand on many
	wave       int // the jobs of one wave need those of the waves before
	delegation *zone.Delegation
	host       registry.DomainName
	complete   bool
	bare       bool // without name servers, which come with a later job
}

// planImport orders what is to be done: hosts outside, then the domains with the hosts below them, then, for those that
// use hosts below other domains, their name servers.
func planImport(c *zone.Contents, o *importOptions, inside func(registry.DomainName) bool) []importJob {
	external := map[registry.DomainName]bool{}
	var jobs, domains, completions []importJob
	for _, d := range c.Delegations {
		needsOthers := false
		for _, ns := range d.Servers {
			if !inside(ns) {
				external[ns] = true
			} else if ns != d.Name && !ns.IsBelow(d.Name) {
				needsOthers = true
			}
		}
		domains = append(domains, importJob{line: d.Line, wave: 1, delegation: d, bare: needsOthers})
		if needsOthers {
			completions = append(completions, importJob{line: d.Line, wave: 2, delegation: d, complete: true})
		}
	}
	hosts := make([]registry.DomainName, 0, len(external))
	for h := range external {
		hosts = append(hosts, h)
	}
	slices.Sort(hosts)
	for _, h := range hosts {
		jobs = append(jobs, importJob{host: h})
	}
	return slices.Concat(jobs, domains, completions)
}

func (j *importJob) name() string {
	if j.delegation == nil {
		return string(j.host)
	}
	return string(j.delegation.Name)
}

// command makes the job's command.
func (j *importJob) command(o *importOptions) *fsmpb.Command {
	if j.delegation == nil {
		return &fsmpb.Command{Body: &fsmpb.Command_HostImport{HostImport: &fsmpb.HostImport{Registrar: o.registrar, Name: string(j.host)}}}
	}
	d := j.delegation
	c := &fsmpb.DomainImport{Registrar: o.registrar, Name: string(d.Name), PeriodYears: o.period, Registrant: o.registrant, Charged: o.charged, Complete: j.complete}
	if !j.bare {
		for _, ns := range d.Servers {
			c.NameServers = append(c.NameServers, string(ns))
		}
	}
	for _, h := range d.Hosts {
		host := &fsmpb.ImportedHost{Name: string(h.Name)}
		for _, addr := range h.Addresses {
			host.Addresses = append(host.Addresses, addr.AsSlice())
		}
		c.Hosts = append(c.Hosts, host)
	}
	for _, ds := range d.DS {
		c.Ds = append(c.Ds, &fsmpb.DelegationSigner{
			KeyTag: uint32(ds.KeyTag), Algorithm: uint32(ds.Algorithm), DigestType: uint32(ds.DigestType), Digest: ds.Digest,
		})
	}
	return &fsmpb.Command{Body: &fsmpb.Command_DomainImport{DomainImport: c}}
}

// importRun is an import under way.
type importRun struct {
	client  *admin
	options *importOptions
	state   *importState
	report  *skipReport
	jobs    []importJob
	bar     *progressBar
	saved   time.Time
}

// run does the jobs that are left, some calls at a time, wave after wave.
func (r *importRun) run(ctx context.Context) error {
	for r.state.Done < len(r.jobs) {
		round, wave := r.jobs[r.state.Done:], r.jobs[r.state.Done].wave
		round = round[:min(len(round), importBatch*importCalls)]
		for i := range round {
			if round[i].wave != wave {
				round = round[:i]
				break
			}
		}
		if err := r.round(ctx, round); err != nil {
			return err
		}
	}
	return nil
}

// round does some jobs and waits for all of them, so that what is done is always the beginning of the list.
func (r *importRun) round(ctx context.Context, jobs []importJob) error {
	results := make([]*fsmpb.Result, len(jobs))
	group, ctx := errgroup.WithContext(ctx)
	for from := 0; from < len(jobs); from += importBatch {
		part := jobs[from:min(from+importBatch, len(jobs))]
		group.Go(func() error {
			request := &clusterpb.ZoneImportRequest{Reason: r.options.reason}
			for i := range part {
				request.Commands = append(request.Commands, part[i].command(r.options))
			}
			response, err := r.call(ctx, request)
			if err == nil {
				copy(results[from:], response.GetResults())
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range jobs {
		r.count(&jobs[i], results[i])
	}
	r.state.Done += len(jobs)
	r.bar.showOf("importing", int64(r.state.Done), int64(len(r.jobs)), fmt.Sprintf("%d objects", len(r.jobs)))
	if time.Since(r.saved) < importSaveEvery {
		return nil
	}
	r.saved = time.Now()
	return errors.Join(r.report.flush(), r.save())
}

// count notes what became of a job.
func (r *importRun) count(job *importJob, result *fsmpb.Result) {
	err := cluster.ResultError(result)
	switch {
	case err != nil:
		r.state.Refused++
		r.skip(job.line, job.name(), err.Error())
	case result.GetRoid() != "":
		r.state.Created++
	default:
		r.state.Present++
	}
}

func (r *importRun) skip(line int, name, reason string) { r.report.add(line, name, reason) }

// importSummary is the result as --json prints it.
type importSummary struct {
	TLD         string `json:"tld"`
	Records     int    `json:"records"`
	Delegations int    `json:"delegations"`
	Created     int    `json:"created"`
	Present     int    `json:"present"`
	Refused     int    `json:"refused"`
	NotImported int    `json:"not_imported"`
	Report      string `json:"report,omitempty"`
}

func (r *importRun) summary(c *zone.Contents) *importSummary {
	s := &importSummary{
		TLD: string(c.TLD), Records: c.Records, Delegations: len(c.Delegations), Created: r.state.Created, Present: r.state.Present,
		Refused: r.state.Refused, NotImported: len(c.Skipped),
	}
	if s.Refused+s.NotImported > 0 {
		s.Report = r.options.report
	}
	return s
}

func (r *importRun) text(c *zone.Contents) string {
	var b strings.Builder
	s := r.summary(c)
	fmt.Fprintf(&b, "Imported %s: %d delegations in %d records. %d objects were created, %d were there or completed, %d were refused; %d names of the file are no delegations.\n",
		s.TLD, s.Delegations, s.Records, s.Created, s.Present, s.Refused, s.NotImported)
	for _, line := range r.report.first {
		b.WriteString("  " + line + "\n")
	}
	if s.Report != "" {
		fmt.Fprintf(&b, "All that was skipped, and why, is in %s.\n", s.Report)
	}
	return b.String()
}

// skipReport lists what was skipped: line, name and reason, with tabs between.
type skipReport struct {
	f     *os.File
	w     *bufio.Writer
	first []string
}

func openReport(path string, goOn bool) (*skipReport, error) {
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if goOn {
		mode = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(path, mode, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the report of the import: %w", err)
	}
	return &skipReport{f: f, w: bufio.NewWriter(f)}, nil
}

func (s *skipReport) add(line int, name, reason string) {
	text := fmt.Sprintf("line %d\t%s\t%s", line, name, reason)
	if line == 0 {
		text = fmt.Sprintf("-\t%s\t%s", name, reason)
	}
	if len(s.first) < maxSkippedShown {
		s.first = append(s.first, strings.ReplaceAll(text, "\t", " "))
	}
	_, _ = s.w.WriteString(text + "\n") // flush tells
}

func (s *skipReport) flush() error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("write the report of the import: %w", err)
	}
	return nil
}

func (s *skipReport) close() error { return errors.Join(s.flush(), s.f.Close()) }
