package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// commandTimeout bounds one call of ip, mount and the like.
const commandTimeout = 20 * time.Second

// lostLink is a hardware address that nobody has: what is sent there disappears without a
// word, as with a broken link.
const lostLink = "02:00:00:00:00:ff"

// network is a bridge with one network namespace for each node.
type network struct {
	bridge  string
	subnet  string // the first three octets
	holders map[string]holder
	hosts   map[string]int
}

// holder is a process that keeps a namespace open.
type holder struct {
	process *os.Process
	ended   <-chan struct{}
}

// tool runs a program of the system.
func tool(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func requireTools(names ...string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: only root can make network namespaces and file systems", ErrNoMeans)
	}
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%w: %w", ErrNoMeans, err)
		}
	}
	return nil
}

// newNetwork makes the bridge, with the caller at host 254.
func newNetwork() (*network, error) {
	if err := requireTools("ip", "nsenter", "sleep"); err != nil {
		return nil, err
	}
	pid := os.Getpid()
	n := &network{
		bridge: fmt.Sprintf("cf%d", pid), subnet: fmt.Sprintf("10.%d.%d", 128+pid%100, pid/100%250),
		holders: make(map[string]holder), hosts: make(map[string]int),
	}
	err := tool("ip", "link", "add", n.bridge, "type", "bridge")
	if err == nil {
		err = errors.Join(
			tool("ip", "addr", "add", n.subnet+".254/24", "dev", n.bridge),
			tool("ip", "link", "set", n.bridge, "up"))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: no bridge: %w", ErrNoMeans, err), n.close())
	}
	return n, nil
}

// add makes the namespace of a node, held open by a process that sleeps.
func (n *network) add(id string) error {
	host := len(n.hosts) + 1
	command := exec.Command("sleep", "infinity")
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	ended, err := startKept(command)
	if err != nil {
		return fmt.Errorf("%w: no network namespace: %w", ErrNoMeans, err)
	}
	n.holders[id], n.hosts[id] = holder{command.Process, ended}, host
	pid, outside := strconv.Itoa(command.Process.Pid), fmt.Sprintf("%sv%d", n.bridge, host)
	for _, step := range [][]string{
		{"ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", pid},
		{"ip", "link", "set", outside, "master", n.bridge, "up"},
		n.within(id, "ip", "addr", "add", n.address(id)+"/24", "dev", "eth0"),
		n.within(id, "ip", "link", "set", "eth0", "up"),
		n.within(id, "ip", "link", "set", "lo", "up"),
	} {
		if err := tool(step...); err != nil {
			return fmt.Errorf("%w: %w", ErrNoMeans, err)
		}
	}
	return nil
}

func (n *network) address(id string) string { return fmt.Sprintf("%s.%d", n.subnet, n.hosts[id]) }

// within returns the command line that runs the arguments in the node's namespace.
func (n *network) within(id string, args ...string) []string {
	return append([]string{"nsenter", "-t", strconv.Itoa(n.holders[id].process.Pid), "-n", "--"}, args...)
}

// cut makes everything that one node sends to another disappear.
func (n *network) cut(from, to string) error {
	return tool(n.within(from, "ip", "neigh", "replace", n.address(to), "lladdr", lostLink, "dev", "eth0", "nud", "permanent")...)
}

// mend ends what cut began.
func (n *network) mend(from, to string) error {
	return tool(n.within(from, "ip", "neigh", "del", n.address(to), "dev", "eth0")...)
}

// close removes everything; the links go with their namespaces.
func (n *network) close() error {
	for _, holder := range n.holders {
		_ = holder.process.Kill() // it sleeps
		<-holder.ended
	}
	return tool("ip", "link", "del", n.bridge)
}
