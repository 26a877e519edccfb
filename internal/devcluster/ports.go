package devcluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The offsets of the services in a node's block of ports.
const (
	PortEPP = iota
	PortDNS
	PortWHOIS
	PortRDAP
	PortAdmin
	PortMetrics
	PortRaft
	PortGossip
	PortsUsed
)

const (
	// PortsPerNode is the size of a node's block; node I, from 1, has the I-th one after
	// the base port.
	PortsPerNode = 100
	// MaxNodes is how many nodes a cluster may have, so that a cluster's ports lie within
	// a thousand of its base port.
	MaxNodes = 9
)

// Address returns where the service of the node with the number listens.
func Address(basePort, node, service int) string {
	return fmt.Sprintf("127.0.0.1:%d", basePort+PortsPerNode*node+service)
}

// FreeBasePort finds a base port above which the blocks of MaxNodes nodes are free on
// 127.0.0.1 now. It begins at a random place, so that concurrent clusters seldom meet.
func FreeBasePort() (int, error) {
	// Below the ports that Linux gives to outgoing connections.
	const lowest, highest, step = 10000, 32000, PortsPerNode * (MaxNodes + 1)
	for _, place := range rand.Perm((highest - lowest) / step) {
		base := lowest + step*place
		if blocksAreFree(base) {
			return base, nil
		}
	}
	return 0, errors.New("no block of ports is free on 127.0.0.1")
}

func blocksAreFree(base int) bool {
	for node := 1; node <= MaxNodes; node++ {
		for service := range PortsUsed {
			listener, err := net.Listen("tcp", Address(base, node, service))
			if err != nil {
				return false
			}
			_ = listener.Close() // nothing was accepted
		}
	}
	return true
}
