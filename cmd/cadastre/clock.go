package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// settleTimeout bounds a move of the clock: years of renewals may fall due.
const settleTimeout = 10 * time.Minute

func newClockCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:   "clock",
		Short: "Show or move registry time",
		Long: `Registry time decides about expiry and all other periods. In a cluster made with a manual
clock it stands still until it is moved; it never goes back.`,
		Example: "  cadastre clock get --dev /tmp/cadastre\n  cadastre clock advance 45d --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newClockGetCommand(a, flags), newClockAdvanceCommand(a, flags), newClockSetCommand(a, flags))
	return cmd
}

func newClockGetCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "get",
		Short:   "Show registry time",
		Long:    "Shows registry time and where it comes from.",
		Example: "  cadastre clock get --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				return a.printClock(ctx, client)
			})
		},
	}
}

func newClockAdvanceCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "advance SPAN",
		Short: "Move a manual clock forward by a span",
		Long: `Moves registry time forward, and returns when everything that fell due by then is applied and
published on every node that runs. A span is made of years (y), days (d), hours, minutes and
seconds: 45d, 1y, 1d12h, 90s.`,
		Example: "  cadastre clock advance 45d --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			move, err := parseSpan(args[0])
			if err != nil {
				return err
			}
			return a.moveClock(cmd, flags, move)
		},
	}
}

func newClockSetCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "set TIME",
		Short:   "Move a manual clock forward to a time",
		Long:    "Moves registry time forward to TIME, and returns when everything due by then is applied and published on every node that runs.",
		Example: "  cadastre clock set 2027-01-01T00:00:00Z --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := parseTime(args[0])
			if err != nil {
				return &usageError{err.Error()}
			}
			return a.moveClock(cmd, flags, func(time.Time) time.Time { return target })
		},
	}
}

// moveClock sets the clock to what move makes of its present time, and waits for everything
// that this makes due.
func (a *app) moveClock(cmd *cobra.Command, flags *connFlags, move func(time.Time) time.Time) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), settleTimeout)
	defer cancel()
	client, err := flags.dial(ctx)
	if err != nil {
		return err
	}
	defer client.close()
	now, err := client.ClockGet(ctx, &clusterpb.ClockGetRequest{})
	if err != nil {
		return plainError(err)
	}
	target := move(time.UnixMilli(now.GetTimeMs()).UTC())
	_, err = client.execute(ctx, &fsmpb.Command{
		Body: &fsmpb.Command_ClockSet{ClockSet: &fsmpb.ClockSet{TimeMs: target.UnixMilli()}},
	})
	if err != nil {
		return err
	}
	if err := waitSettled(ctx, client); err != nil {
		return err
	}
	return a.printClock(ctx, client)
}

// waitSettled returns when everything due is applied and published on every node that
// answers. First the node asked settles, which needs the leader's work; the others then
// only have to reach the same index.
func waitSettled(ctx context.Context, client *admin) error {
	settled, err := client.WaitSettled(ctx, &clusterpb.WaitSettledRequest{})
	if err != nil {
		return fmt.Errorf("wait until everything due is done: %w", plainError(err))
	}
	members, err := client.Members(ctx, &clusterpb.MembersRequest{})
	if err != nil {
		return plainError(err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range members.GetMembers() {
		if !m.GetReachable() || m.GetId() == members.GetAnsweredBy() {
			continue
		}
		group.Go(func() error {
			other, err := dialAdmin(ctx, client.creds, m.GetGrpcAddress())
			if err != nil {
				return err
			}
			defer other.close()
			if _, err := other.WaitSettled(ctx, &clusterpb.WaitSettledRequest{Index: settled.GetAppliedIndex()}); err != nil {
				return fmt.Errorf("wait for node %s: %w", m.GetId(), plainError(err))
			}
			return nil
		})
	}
	return group.Wait()
}

func (a *app) printClock(ctx context.Context, client *admin) error {
	clock, err := client.ClockGet(ctx, &clusterpb.ClockGetRequest{})
	if err != nil {
		return plainError(err)
	}
	mode := "system"
	if registry.ClockMode(clock.GetMode()) == registry.ClockManual {
		mode = "manual"
	}
	at := instant(clock.GetTimeMs())
	return a.result(map[string]string{"clock": mode, "time": at}, fmt.Sprintf("%s (%s clock)", at, mode))
}

var errTime = errors.New("want a time such as 2027-01-01T00:00:00Z or a date such as 2027-01-01")

// parseTime reads an RFC 3339 time or a date, which means its first instant in UTC.
func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: %w", s, errTime)
}

// parseSpan reads a span such as 45d, 1y or 1d12h and returns what it does to a time.
func parseSpan(s string) (func(time.Time) time.Time, error) {
	parts := regexp.MustCompile(`^(?:(\d{1,3})y)?(?:(\d{1,6})d)?((?:\d{1,9}[hms])*)$`).FindStringSubmatch(s)
	if s == "" || parts == nil {
		return nil, &usageError{fmt.Sprintf("%q is not a span such as 45d, 1y, 1d12h or 90s", s)}
	}
	years, _ := strconv.Atoi(firstNonEmpty(parts[1], "0")) // digits only
	days, _ := strconv.Atoi(firstNonEmpty(parts[2], "0"))  // digits only
	rest, err := time.ParseDuration(firstNonEmpty(parts[3], "0s"))
	if err != nil {
		return nil, &usageError{fmt.Sprintf("%q is not a span such as 45d, 1y, 1d12h or 90s", s)}
	}
	return func(t time.Time) time.Time { return t.AddDate(years, 0, days).Add(rest) }, nil
}
