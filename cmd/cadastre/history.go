package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// versionDocument is an object after one change.
type versionDocument struct {
	Kind      string         `json:"kind"`
	Name      string         `json:"name"`
	ROID      string         `json:"roid"`
	At        string         `json:"at"`
	Verb      string         `json:"verb"`
	ActorKind string         `json:"actor_kind"`
	Actor     string         `json:"actor"`
	SvTRID    string         `json:"svtrid"`
	ClTRID    string         `json:"cltrid"`
	Reason    string         `json:"reason"`
	Deleted   bool           `json:"deleted"`
	Facts     []factDocument `json:"facts"`
}

type factDocument struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func newHistoryCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:   "history NAME",
		Short: "Show every change of a domain, host, contact or organisation",
		Long: `Shows who changed the domains, hosts, contacts or organisations of a name, when, by which command and why,
and what became different; also of objects that are gone, whose name may be registered anew.`,
		Example: "  cadastre history example.example --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				versions, err := readHistory(ctx, client, &clusterpb.HistoryRequest{Name: args[0]})
				if err != nil {
					return err
				}
				return a.result(versions, historyText(versions))
			})
		},
	}
	flags.register(cmd)
	return cmd
}

func newShowCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	var at string
	cmd := &cobra.Command{
		Use:   "show NAME --at TIME",
		Short: "Show a domain, host, contact or organisation as it was at a time",
		Long:  "Shows what a domain, host, contact or organisation was like at an instant, from the history.",
		Example: "  cadastre show example.example --at 2027-03-01T12:00:00Z --dev /tmp/cadastre\n" +
			"  cadastre show example.example --at 2027-03-01 --json --dev /tmp/cadastre",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			instant, err := parseTime(at)
			if err != nil {
				return &usageError{fmt.Sprintf("--at: %v", err)}
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				versions, err := readHistory(ctx, client, &clusterpb.HistoryRequest{Name: args[0], AtMs: instant.UnixMilli()})
				if err != nil {
					return err
				}
				if len(versions) == 0 {
					return fmt.Errorf("there was no domain, host, contact or organisation %s at %s; see: cadastre history %s", args[0], at, args[0])
				}
				return a.result(versions, shownText(versions))
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&at, "at", "", "the time, such as 2027-03-01T12:00:00Z or a date")
	return cmd
}

func readHistory(ctx context.Context, client *admin, request *clusterpb.HistoryRequest) ([]versionDocument, error) {
	var err error
	if request.Name, err = typedKey(request.GetName()); err != nil {
		return nil, err
	}
	stream, err := client.History(ctx, request)
	if err != nil {
		return nil, plainError(err)
	}
	versions := []versionDocument{}
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errBrokenOff
		}
		if err != nil {
			return nil, plainError(err)
		}
		for _, v := range chunk.GetVersions() {
			versions = append(versions, versionDocumentOf(v))
		}
		if chunk.GetDone() {
			return versions, nil
		}
	}
}

func versionDocumentOf(v *clusterpb.ObjectVersion) versionDocument {
	d := versionDocument{
		Kind: registry.ObjectKind(v.GetKind()).String(), Name: v.GetName(), ROID: v.GetRoid(), At: instant(v.GetAtMs()), Verb: v.GetVerb(),
		Actor: v.GetActor(), SvTRID: fmt.Sprintf("%d-%d-%d", v.GetTerm(), v.GetIndex(), v.GetInEntry()), ClTRID: v.GetCltrid(),
		Reason: v.GetReason(), Deleted: v.GetDeleted(), Facts: []factDocument{},
	}
	d.ActorKind = strings.ToLower(strings.TrimPrefix(fsmpb.ActorKind(v.GetActorKind()).String(), "ACTOR_KIND_"))
	for _, f := range v.GetFacts() {
		d.Facts = append(d.Facts, factDocument{Name: f.GetName(), Value: f.GetValue()})
	}
	return d
}

// historyText lists the versions of each object with the facts that became different.
func historyText(versions []versionDocument) string {
	var b strings.Builder
	var before []factDocument
	roid := ""
	for i := range versions {
		v := &versions[i]
		if v.ROID != roid {
			if roid != "" {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "%s %s (%s)\n", v.Kind, v.Name, v.ROID)
			before, roid = nil, v.ROID
		}
		fmt.Fprintf(&b, "  %s  %s by %s %s  svTRID %s", v.At, v.Verb, v.ActorKind, v.Actor, v.SvTRID)
		if v.ClTRID != "" {
			fmt.Fprintf(&b, "  clTRID %s", v.ClTRID)
		}
		if v.Reason != "" {
			fmt.Fprintf(&b, "  because: %s", v.Reason)
		}
		b.WriteString("\n")
		if v.Deleted {
			b.WriteString("    deleted\n")
		} else {
			writeChanges(&b, before, v.Facts)
		}
		before = v.Facts
	}
	return b.String()
}

// writeChanges writes the facts that left and those that came.
func writeChanges(b *strings.Builder, before, after []factDocument) {
	has := func(list []factDocument, f factDocument) bool {
		for _, other := range list {
			if other == f {
				return true
			}
		}
		return false
	}
	for _, f := range before {
		if !has(after, f) {
			fmt.Fprintf(b, "    - %s: %s\n", f.Name, f.Value)
		}
	}
	for _, f := range after {
		if !has(before, f) {
			fmt.Fprintf(b, "    + %s: %s\n", f.Name, f.Value)
		}
	}
}

func shownText(versions []versionDocument) string {
	var b strings.Builder
	for i := range versions {
		v := &versions[i]
		fmt.Fprintf(&b, "%s %s (%s), since %s by %s of %s %s\n", v.Kind, v.Name, v.ROID, v.At, v.Verb, v.ActorKind, v.Actor)
		for _, f := range v.Facts {
			fmt.Fprintf(&b, "  %s: %s\n", f.Name, f.Value)
		}
	}
	return b.String()
}
