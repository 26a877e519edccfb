package devcluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// InfoFile is the name of the file in the cluster's folder that says where everything is.
// It is there only while the cluster runs.
const InfoFile = "dev.json"

// Info is dev.json: the endpoints and credentials of a running dev cluster.
type Info struct {
	TLDs       []string    `json:"tlds"`
	CA         string      `json:"ca"`
	ClusterID  string      `json:"cluster_id"`
	Clock      string      `json:"clock"`
	Nodes      []Node      `json:"nodes"`
	Registrars []Registrar `json:"registrars"`
	Operator   Files       `json:"operator"`
}

// Node is one node: its process, its files and the addresses of its services.
type Node struct {
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

// Registrar is a registrar with what it logs in with.
type Registrar struct {
	ID       string `json:"id"`
	Password string `json:"password"`
	Files
}

// Files are the paths of a certificate and its key.
type Files struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// ReadInfo reads dev.json of the cluster in dir.
func ReadInfo(dir string) (*Info, error) {
	path := filepath.Join(dir, InfoFile)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no dev cluster runs in %s; start one: cadastre dev --dir %s", dir, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the dev cluster's %s: %w", InfoFile, err)
	}
	var info Info
	if err := json.Unmarshal(content, &info); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &info, nil
}

// Node returns the node with the id, the first one if it is empty.
func (i *Info) Node(id string) (Node, error) {
	for _, n := range i.Nodes {
		if id == "" || n.ID == id {
			return n, nil
		}
	}
	return Node{}, fmt.Errorf("the dev cluster has no node %q", id)
}

// Registrar returns the registrar with the id, the first one if it is empty.
func (i *Info) Registrar(id string) (Registrar, error) {
	for _, r := range i.Registrars {
		if id == "" || r.ID == id {
			return r, nil
		}
	}
	return Registrar{}, fmt.Errorf("the dev cluster has no registrar %q", id)
}
