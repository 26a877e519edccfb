package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"cadastre/internal/devcluster"
)

// superviseDev keeps the cluster until ctx ends.
func (a *app) superviseDev(ctx context.Context, d *devCluster) error {
	info := d.info()
	_ = a.result(info, d.guide(info)) // a reader that went away is no reason to stop
	controlCtx, stopControl := context.WithCancel(ctx)
	control := make(chan error, 1)
	go func() { control <- d.serveControl(controlCtx) }()
	var failure error
	for ctx.Err() == nil && failure == nil {
		select {
		case <-ctx.Done():
		case failure = <-control:
			control <- nil
		case id := <-d.died:
			m, err := d.member(id)
			if err != nil {
				continue
			}
			if d.wasRemoved(m) {
				if err := errors.Join(d.drop(m), d.writeInfo()); err != nil {
					failure = err
				}
				continue
			}
			d.announce("%s ended (%s). Bring it back: cadastre dev --dir %s --start %s", id, d.process(m).cmd.ProcessState, d.dir, id)
		}
	}
	d.announce("Stopping.")
	stopControl()
	_ = os.Remove(d.infoPath()) // it says where things run; nothing does any more
	return errors.Join(failure, <-control, d.stopAll())
}

// guide returns what to try.
func (d *devCluster) guide(info *devcluster.Info) string {
	rows := [][]string{{"NODE", "ROLE", "EPP", "DNS", "WHOIS", "RDAP", "ADMIN", "METRICS", "PID"}}
	for _, n := range info.Nodes {
		rows = append(rows, []string{n.ID, n.Role, n.EPP, n.DNS, n.WHOIS, n.RDAP, n.Admin, n.Metrics, fmt.Sprint(n.PID)})
	}
	first := info.Nodes[0]
	host, dnsPort, _ := net.SplitHostPort(first.DNS) // made here
	_, whoisPort, _ := net.SplitHostPort(first.WHOIS)
	tld := info.TLDs[0]
	var b strings.Builder
	fmt.Fprintf(&b, "Cluster %s is ready at %s, serving .%s.\n\n%s\n", info.ClusterID, time.Now().Format(time.TimeOnly), strings.Join(info.TLDs, ", ."), table(rows))
	fmt.Fprintf(&b, "Try, in another shell:\n")
	for _, line := range []string{
		fmt.Sprintf("cadastre epp --dev %s -r registrar-a create host ns1.host.invalid", d.dir),
		fmt.Sprintf("cadastre epp --dev %s -r registrar-a create domain demo.%s --ns ns1.host.invalid", d.dir, tld),
		fmt.Sprintf("cadastre epp --dev %s -r registrar-a info domain demo.%s", d.dir, tld),
		fmt.Sprintf("dig @%s -p %s +norecurse %s SOA", host, dnsPort, tld),
		fmt.Sprintf("whois -h %s -p %s demo.%s", host, whoisPort, tld),
		fmt.Sprintf("cadastre cluster members --dev %s", d.dir),
	} {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	fmt.Fprintf(&b, "\nEverything else is in %s. Ctrl-C stops the cluster; the same command resumes it.\n", d.infoPath())
	return b.String()
}
