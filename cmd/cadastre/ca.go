package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cadastre/cluster"
)

func newCACommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Make the certificates of a cluster",
		Long: `The cluster's own certificate authority is a folder. Keep it away from the nodes: whoever
holds it can join nodes, log in as any registrar and operate the cluster.`,
		Example: "  cadastre ca init --dir ca\n  cadastre ca node n1 --dir ca --out n1 --host 192.0.2.10 --host n1.nic.example",
	}
	cmd.AddCommand(newCAInitCommand(a), newCARotateCommand(a))
	for _, k := range []issueKind{
		{cluster.KindNode, "NODE-ID", cluster.DefaultNodeLifetime, "n1"},
		{cluster.KindRegistrar, "REGISTRAR-ID", cluster.DefaultClientLifetime, "registrar-a"},
		{cluster.KindOperator, "NAME", cluster.DefaultOperatorLifetime, "alice"},
		{cluster.KindRequester, "NAME", cluster.DefaultClientLifetime, "police"},
	} {
		cmd.AddCommand(newCAIssueCommand(a, k))
	}
	return cmd
}

func newCAInitCommand(a *app) *cobra.Command {
	var dir, clusterID string
	cmd := &cobra.Command{
		Use:     "init --dir DIR",
		Short:   "Make the certificate authority of a new cluster",
		Long:    "Makes a certificate authority and a gossip key in DIR. The cluster's id is chosen at random unless it is given.",
		Example: "  cadastre ca init --dir ca",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if dir == "" {
				return &usageError{"--dir DIR is required"}
			}
			ca, err := cluster.InitCA(dir, clusterID)
			if err != nil {
				return err
			}
			return a.result(map[string]string{"cluster_id": ca.ClusterID(), "dir": dir},
				fmt.Sprintf("Made the certificate authority of cluster %s in %s.", ca.ClusterID(), dir))
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder to make it in")
	cmd.Flags().StringVar(&clusterID, "cluster-id", "", "id of the cluster (default: random)")
	return cmd
}

// issueKind is what differs between the issuing verbs.
type issueKind struct {
	kind     cluster.Kind
	argument string
	lifetime time.Duration
	example  string
}

func newCAIssueCommand(a *app, k issueKind) *cobra.Command {
	var (
		dir, out string
		hosts    []string
		lifetime time.Duration
	)
	cmd := &cobra.Command{
		Use:   fmt.Sprintf("%s %s --dir CA --out DIR", k.kind, k.argument),
		Short: fmt.Sprintf("Issue a certificate for a %s", k.kind),
		Long: fmt.Sprintf(`Issues a key and a certificate for a %s and writes them to a folder, with the CA's
certificate beside them. Issuing again for the same name renews it.`, k.kind),
		Example: fmt.Sprintf("  cadastre ca %s %s --dir ca --out %s", k.kind, k.example, k.example),
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if dir == "" || out == "" {
				return &usageError{"--dir CA and --out DIR are required"}
			}
			ca, err := cluster.LoadCA(dir)
			if err != nil {
				return err
			}
			bundle, err := ca.Issue(k.kind, args[0], hosts, lifetime)
			if err != nil {
				return err
			}
			if err := bundle.Write(out); err != nil {
				return err
			}
			paths := cluster.PathsIn(out, args[0])
			fingerprint := fmt.Sprintf("%x", cluster.Fingerprint(bundle.Certificate))
			return a.result(map[string]string{
				"identity": bundle.Identity.String(), "ca": paths.CA, "cert": paths.Certificate, "key": paths.Key,
				"sha256": fingerprint, "not_after": bundle.Certificate.NotAfter.UTC().Format(time.RFC3339),
			}, fmt.Sprintf("Issued %s and %s for %s.\nSHA-256 fingerprint: %s", paths.Certificate, paths.Key, bundle.Identity, fingerprint))
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder of the certificate authority")
	cmd.Flags().StringVar(&out, "out", "", "folder to write to")
	cmd.Flags().DurationVar(&lifetime, "lifetime", k.lifetime, "how long the certificate is valid")
	if k.kind == cluster.KindNode {
		cmd.Flags().StringSliceVar(&hosts, "host", nil, "IP address or host name at which the node is reached (repeatable)")
	}
	return cmd
}
