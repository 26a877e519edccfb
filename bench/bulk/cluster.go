package bulk

import (
	"context"
	"errors"
	"path/filepath"

	"cadastre/internal/devcluster"
)

// storeDirName is the folder of the store in a node's data folder.
const storeDirName = "store"

// StartFilled makes a dev cluster, fills its state while it is stopped and starts it
// again. The StoreDir of fill is set here.
func StartFilled(ctx context.Context, cluster devcluster.Config, fill Config) (*devcluster.Cluster, *Filled, error) {
	empty, err := devcluster.Start(ctx, cluster)
	if err != nil {
		return nil, nil, err
	}
	info, err := empty.Info()
	if err = errors.Join(err, empty.Stop()); err != nil {
		return nil, nil, err
	}
	filled, err := FillNodes(ctx, info, fill)
	if err != nil {
		return nil, nil, err
	}
	c, err := devcluster.Start(ctx, cluster)
	return c, filled, err
}

// FillNodes fills the state of all nodes of a dev cluster that does not run.
func FillNodes(ctx context.Context, info *devcluster.Info, fill Config) (*Filled, error) {
	var dirs []string
	for _, n := range info.Nodes {
		dirs = append(dirs, filepath.Join(n.Data, storeDirName))
	}
	fill.StoreDir = dirs[0]
	filled, err := Fill(ctx, fill)
	if err != nil {
		return nil, err
	}
	return filled, Share(dirs[0], dirs[1:]...)
}
