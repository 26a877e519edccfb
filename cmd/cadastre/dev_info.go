package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Names in the folder of a dev cluster.
const (
	devInfoFile     = "dev.json"     // where everything is; there only while the cluster runs
	devSettingsFile = "cluster.json" // what the cluster was made with
	devLockFile     = "dev.lock"     // locked by the `cadastre dev` that runs the cluster
	devCADir        = "ca"
	devCertsDir     = "certs"
	devOperator     = "operator"
)

// devInfo is dev.json: the endpoints and credentials of a running dev cluster.
type devInfo struct {
	TLDs       []string       `json:"tlds"`
	CA         string         `json:"ca"`
	ClusterID  string         `json:"cluster_id"`
	Clock      string         `json:"clock"`
	Nodes      []devNode      `json:"nodes"`
	Registrars []devRegistrar `json:"registrars"`
	Operator   devFiles       `json:"operator"`
}

// devNode is one node of a dev cluster.
type devNode struct {
	ID      string `json:"id"`
	Role    string `json:"role"`
	PID     int    `json:"pid"`
	Data    string `json:"data"`
	Log     string `json:"log"`
	Config  string `json:"config"`
	EPP     string `json:"epp"`
	DNS     string `json:"dns"`
	WHOIS   string `json:"whois"`
	RDAP    string `json:"rdap"`
	Admin   string `json:"admin"`
	Metrics string `json:"metrics"`
	Raft    string `json:"raft"`
	Gossip  string `json:"gossip"`
}

// devRegistrar is a registrar with what it logs in with.
type devRegistrar struct {
	ID       string `json:"id"`
	Password string `json:"password"`
	devFiles
}

// devFiles are a certificate and its key.
type devFiles struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// readDevInfo reads dev.json of the cluster in dir.
func readDevInfo(dir string) (*devInfo, error) {
	content, err := os.ReadFile(filepath.Join(dir, devInfoFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no dev cluster runs in %s; start one: cadastre dev --dir %s", dir, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the dev cluster's %s: %w", devInfoFile, err)
	}
	var info devInfo
	if err := json.Unmarshal(content, &info); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, devInfoFile), err)
	}
	return &info, nil
}

// node returns the node with the id, the first one if it is empty.
func (i *devInfo) node(id string) (*devNode, error) {
	for k := range i.Nodes {
		if id == "" || i.Nodes[k].ID == id {
			return &i.Nodes[k], nil
		}
	}
	return nil, fmt.Errorf("the dev cluster has no node %q", id)
}

// registrar returns the registrar with the id, the first one if it is empty.
func (i *devInfo) registrar(id string) (*devRegistrar, error) {
	for k := range i.Registrars {
		if id == "" || i.Registrars[k].ID == id {
			return &i.Registrars[k], nil
		}
	}
	return nil, fmt.Errorf("the dev cluster has no registrar %q", id)
}

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
