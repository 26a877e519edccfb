package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Names in the folder of a dev cluster, besides devcluster.InfoFile.
const (
	devSettingsFile = "cluster.json" // what the cluster was made with
	devLockFile     = "dev.lock"     // locked by the `cadastre dev` that runs the cluster
	devCADir        = "ca"
	devCertsDir     = "certs"
	devOperator     = "operator"
)

// writeJSONFile replaces a file as a whole; only its owner may read it, as it may hold
// passwords.
func writeJSONFile(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = tmp.Write(append(content, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(tmp.Name()))
	}
	return nil
}
