package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/zone"
)

func newZoneExportCommand(a *app, flags *connFlags) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "export TLD",
		Short: "Write the published zone as a zone file",
		Long: `Writes a TLD's zone as one node serves it, from one serial: one record a line with its
absolute name, TTL, class and type, in canonical order, the SOA first and once more last,
as ICANN's zone file access wants it. The file appears only when it is whole. Sorting a
large zone takes room for it in the folder of the file, or in TMPDIR without one. FILE.zonemd
gets the digest of the zone as a ZONEMD record (RFC 8976, SIMPLE with SHA-384), by which who
has both can tell that the file is whole.`,
		Example: "  cadastre zone export example --dev /tmp/cadastre -o example.zone\n  cadastre zone export example --dev /tmp/cadastre --node n2 | dnssec-verify -o example /dev/stdin",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := flags.dial(cmd.Context())
			if err != nil {
				return err
			}
			defer client.close()
			if output == "" || output == "-" {
				_, err := exportZone(cmd.Context(), client, args[0], a.stdout, "")
				return err
			}
			return exportFile(cmd.Context(), a, client, args[0], output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this file (default: standard output)")
	return cmd
}

// exported says what an export held.
type exported struct {
	TLD     string `json:"tld"`
	Serial  uint32 `json:"serial"`
	Records int    `json:"records"`
	File    string `json:"file,omitempty"`
	// ZONEMD is the record that a digest of the zone would be published as.
	ZONEMD string `json:"zonemd"`
}

// exportFile writes the zone beside the file and puts it in its place when it is whole.
func exportFile(ctx context.Context, a *app, client *admin, tld, path string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".zone-*")
	if err != nil {
		return fmt.Errorf("write the zone: %w", err)
	}
	done, err := exportZone(ctx, client, tld, f, dir)
	if err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.WriteFile(path+".zonemd", []byte(done.ZONEMD+"\n"), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	done.File = path
	return a.result(done, fmt.Sprintf("Wrote the zone %s, serial %d, %d records, to %s.\n", done.TLD, done.Serial, done.Records, path))
}

// exportZone writes a zone; runs that do not fit into memory go to tempDir.
func exportZone(ctx context.Context, client *admin, tld string, w io.Writer, tempDir string) (*exported, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.ZoneExport(ctx, &clusterpb.ZoneExportRequest{Tld: tld})
	if err != nil {
		return nil, plainError(err)
	}
	out := &exported{TLD: tld}
	sorter := &lineSorter{dir: tempDir}
	defer sorter.remove()
	soa, ttlSeconds := "", uint32(0)
	for done := false; !done; {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the export ended before its end: ask again")
		}
		if err != nil {
			return nil, plainError(err)
		}
		rrs, err := zone.Unpack(chunk.GetRrs())
		if err != nil {
			return nil, err
		}
		for _, rr := range rrs {
			if rr.Header().Rrtype == dns.TypeSOA {
				soa, ttlSeconds = zone.Text(rr), rr.Header().Ttl
			}
			key, err := zone.SortKey(rr)
			if err != nil {
				return nil, err
			}
			if err := sorter.add(key, zone.Text(rr)); err != nil {
				return nil, err
			}
		}
		done, out.Serial = chunk.GetDone(), chunk.GetSerial()
	}
	if soa == "" {
		return nil, fmt.Errorf("the zone %s has no SOA record", tld)
	}
	buffered := bufio.NewWriterSize(w, 1<<16)
	write := func(line string) error {
		out.Records++
		_, err := buffered.WriteString(line + "\n")
		return err
	}
	digest := zone.NewDigest(registry.DomainName(tld))
	each := func(key []byte, line string) error {
		owner, rest, _ := strings.Cut(line, "\t")
		ttl, _, _ := strings.Cut(rest, "\t")
		seconds, err := strconv.ParseUint(ttl, 10, 32)
		if err != nil {
			return fmt.Errorf("the line %q has no TTL: %w", line, err)
		}
		digest.Add(registry.DomainName(strings.TrimSuffix(owner, ".")), uint32(seconds), key)
		if line == soa {
			return nil // it stands first and last
		}
		return write(line)
	}
	err = errors.Join(write(soa), sorter.each(each), write(soa), buffered.Flush())
	out.ZONEMD = digest.Record(out.Serial, ttlSeconds)
	if err != nil {
		return nil, fmt.Errorf("write the zone: %w", err)
	}
	out.Records-- // the SOA stands there twice
	return out, nil
}
