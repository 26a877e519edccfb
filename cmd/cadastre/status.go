package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// statusChange holds the flags of `domain status` and its like.
type statusChange struct {
	add, remove                []string
	reason                     string
	caseID, caseType, caseName string
	// consistency is of a look at the statuses, which a change is not.
	consistency string
}

// statusObject is a kind of object whose statuses an operator can change.
type statusObject struct {
	kind     registry.ObjectKind
	argument string // how usage names the object
	example  string
	command  func(key string, c *statusChange) *fsmpb.Command
}

// statusObjects are the kinds, a group of verbs each.
func statusObjects() []statusObject {
	return []statusObject{
		{registry.KindDomain, "NAME", "example.example", func(key string, c *statusChange) *fsmpb.Command {
			return &fsmpb.Command{Reason: c.reason, Body: &fsmpb.Command_DomainServerUpdate{DomainServerUpdate: &fsmpb.DomainServerUpdate{
				Name: key, AddStatuses: c.add, RemoveStatuses: c.remove, Case: c.about(),
			}}}
		}},
		{registry.KindHost, "NAME", "ns1.example.example", func(key string, c *statusChange) *fsmpb.Command {
			return &fsmpb.Command{Reason: c.reason, Body: &fsmpb.Command_HostServerUpdate{HostServerUpdate: &fsmpb.HostServerUpdate{
				Name: key, AddStatuses: c.add, RemoveStatuses: c.remove, Case: c.about(),
			}}}
		}},
		{registry.KindContact, "ID", "sh8013", func(key string, c *statusChange) *fsmpb.Command {
			return &fsmpb.Command{Reason: c.reason, Body: &fsmpb.Command_ContactServerUpdate{ContactServerUpdate: &fsmpb.ContactServerUpdate{
				Id: key, AddStatuses: c.add, RemoveStatuses: c.remove, Case: c.about(),
			}}}
		}},
		{registry.KindOrg, "ID", "res1523", func(key string, c *statusChange) *fsmpb.Command {
			return &fsmpb.Command{Reason: c.reason, Body: &fsmpb.Command_OrgServerUpdate{OrgServerUpdate: &fsmpb.OrgServerUpdate{
				Id: key, AddStatuses: c.add, RemoveStatuses: c.remove, Case: c.about(),
			}}}
		}},
	}
}

// newObjectCommands returns the groups of verbs by which operators act on registrars' objects.
func newObjectCommands(a *app) []*cobra.Command {
	var groups []*cobra.Command
	for _, object := range statusObjects() {
		flags := &connFlags{}
		group := &cobra.Command{
			Use:     object.kind.String(),
			Short:   "Set and remove server statuses of " + object.phrase(),
			Long:    fmt.Sprintf("What the registry does to %s without its registrar, who is told through the message queue.", object.phrase()),
			Example: statusExample(object),
		}
		flags.register(group)
		group.AddCommand(newStatusCommand(a, flags, object))
		if object.kind == registry.KindHost {
			group.Short = "Show who uses a host, and set its server statuses"
			group.AddCommand(newHostUsersCommand(a, flags), newHostReturnCommand(a, flags))
		}
		groups = append(groups, group)
	}
	return groups
}

// phrase is the kind as sentences name it.
func (o *statusObject) phrase() string {
	if o.kind == registry.KindOrg {
		return "an organisation"
	}
	return "a " + o.kind.String()
}

func statusExample(object statusObject) string {
	return fmt.Sprintf("  cadastre %[1]s status %[2]s --dev /tmp/cadastre\n  cadastre %[1]s status %[2]s --add serverUpdateProhibited --reason 'court order' --dev /tmp/cadastre", object.kind, object.example)
}

func newStatusCommand(a *app, flags *connFlags, object statusObject) *cobra.Command {
	var change statusChange
	cmd := &cobra.Command{
		Use:   "status " + object.argument,
		Short: "Show the statuses, set and remove server statuses",
		Long: fmt.Sprintf("Without --add and --remove, shows %[1]s as fresh as --consistency asks. With them, sets and removes statuses of %[1]s that its registrar cannot: %[2]s. The registrar finds two messages in its queue, with the object before and after (RFC 8590).",
			object.phrase(), strings.Join(serverStatuses(object.kind), ", ")),
		Example: statusExample(object),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			show := change.isNone()
			if !show {
				if err := change.check(object.kind); err != nil {
					return err
				}
			}
			key := args[0]
			if object.kind == registry.KindDomain || object.kind == registry.KindHost {
				var err error
				if key, err = typedName(key); err != nil {
					return err
				}
			}
			if show {
				return a.showObject(cmd, flags, object.kind, key, change.consistency)
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				result, err := client.execute(ctx, object.command(key, &change))
				if err != nil {
					return err
				}
				return a.result(map[string]any{object.kind.String(): key, "raft_index": result.GetIndex()}, fmt.Sprintf("Changed %s %s.", object.kind, key))
			})
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&change.add, "add", nil, "status to set (repeatable)")
	f.StringSliceVar(&change.remove, "remove", nil, "status to remove (repeatable)")
	f.StringVar(&change.consistency, "consistency", "linearizable", "how fresh what is shown must be: linearizable, session=INDEX, stale or stale=DURATION")
	f.StringVar(&change.reason, "reason", "", "why; the registrar is told")
	f.StringVar(&change.caseID, "case-id", "", "identifier of the dispute or request")
	f.StringVar(&change.caseType, "case-type", "", "urs, udrp or custom")
	f.StringVar(&change.caseName, "case-name", "", "what kind of custom case it is")
	return cmd
}

// serverStatuses lists what an operator may set on an object of the kind.
func serverStatuses(kind registry.ObjectKind) []string {
	var names []string
	for _, status := range []registry.Status{
		registry.StatusServerHold, registry.StatusServerUpdateProhibited, registry.StatusServerDeleteProhibited,
		registry.StatusServerTransferProhibited, registry.StatusServerRenewProhibited, registry.StatusServerLinkProhibited,
		registry.StatusHold, registry.StatusTerminated,
	} {
		if registry.IsServerStatus(kind, status) {
			names = append(names, string(status))
		}
	}
	return names
}

// isNone says that nothing is to be changed.
func (c *statusChange) isNone() bool {
	return len(c.add)+len(c.remove) == 0 && c.reason == "" && c.caseID == "" && c.caseType == "" && c.caseName == ""
}

// check finds what is wrong with the flags before a node is asked.
func (c *statusChange) check(kind registry.ObjectKind) error {
	switch {
	case len(c.add)+len(c.remove) == 0:
		return &usageError{"give --add or --remove"}
	case c.reason == "":
		return &usageError{"--reason is missing: the registrar is told why"}
	case (c.caseID == "") != (c.caseType == ""):
		return &usageError{"--case-id and --case-type go together"}
	}
	for _, s := range append(append([]string{}, c.add...), c.remove...) {
		if !registry.IsServerStatus(kind, registry.Status(s)) {
			return &usageError{fmt.Sprintf("%s: want one of %s", s, strings.Join(serverStatuses(kind), ", "))}
		}
	}
	switch c.caseType {
	case "", registry.CaseCustom:
	case registry.CaseURS, registry.CaseUDRP:
		if c.caseName != "" {
			return &usageError{"--case-name is for cases of type custom"}
		}
	default:
		return &usageError{fmt.Sprintf("--case-type %s: want urs, udrp or custom", c.caseType)}
	}
	return nil
}

// about returns the case that the change belongs to, nil if there is none.
func (c *statusChange) about() *fsmpb.Case {
	if c.caseID == "" {
		return nil
	}
	return &fsmpb.Case{Type: c.caseType, Name: c.caseName, Id: c.caseID}
}
