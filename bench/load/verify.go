package load

import (
	"context"
	"fmt"

	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
)

// namesPerCheck is how many names one check command asks for.
const namesPerCheck = 20

// Missing returns the acknowledged names that the node at the EPP address does not know.
func Missing(ctx context.Context, info *devcluster.Info, address string, created []Created) ([]string, error) {
	session := NewSession(info, info.Registrars[0], address)
	defer session.Close()
	var missing []string
	for len(created) > 0 {
		n := min(namesPerCheck, len(created))
		check := &eppxml.DomainCheck{}
		for _, c := range created[:n] {
			check.Names = append(check.Names, c.Name)
		}
		created = created[n:]
		response, err := session.Do(ctx, check)
		if err != nil {
			return nil, err
		}
		data := response.Data(eppxml.NSDomain, "chkData")
		if data == nil || len(data.Children) != n {
			return nil, fmt.Errorf("the check of %d names at %s is answered with code %d", n, address, response.Code())
		}
		for _, cd := range data.Children {
			name := cd.Child("name")
			if available, _ := name.Attr("avail"); available != "0" && available != "false" {
				missing = append(missing, name.Text)
			}
		}
	}
	return missing, nil
}

// VerifyAll checks that every node knows every acknowledged name.
func VerifyAll(ctx context.Context, info *devcluster.Info, creators []*Creator) (total int, err error) {
	for _, node := range info.Nodes {
		total = 0
		for _, c := range creators {
			created := c.Acknowledged()
			total += len(created)
			missing, err := Missing(ctx, info, node.EPP, created)
			if err != nil {
				return total, fmt.Errorf("verify node %s: %w", node.ID, err)
			}
			if len(missing) > 0 {
				return total, fmt.Errorf("node %s has lost %d acknowledged creates, such as %s", node.ID, len(missing), missing[0])
			}
		}
	}
	return total, nil
}
