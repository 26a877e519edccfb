package rdap

import (
	"net"
	"net/netip"
	"sync"
)

// connections bounds the open connections, of all clients together and of each.
type connections struct {
	net.Listener
	slots chan struct{}

	// mu guards open.
	mu   sync.Mutex
	open map[netip.Addr]int
}

func limitConnections(l net.Listener) net.Listener {
	return &connections{Listener: l, slots: make(chan struct{}, maxConnections), open: map[netip.Addr]int{}}
}

// Accept returns the next connection of a client that has not too many. Above the bound of all,
// connections wait in the kernel's queue.
func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		client := addrOf(conn.RemoteAddr().String())
		select {
		case c.slots <- struct{}{}:
		default:
			_ = conn.Close() // all places are taken
			continue
		}
		if !c.enter(client) {
			<-c.slots
			_ = conn.Close() // it has too many
			continue
		}
		return &countedConn{Conn: conn, left: sync.OnceFunc(func() { c.leave(client) })}, nil
	}
}

func (c *connections) enter(client netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[client] >= maxPerAddress && !client.IsLoopback() {
		return false
	}
	c.open[client]++
	return true
}

func (c *connections) leave(client netip.Addr) {
	c.mu.Lock()
	if c.open[client]--; c.open[client] == 0 {
		delete(c.open, client)
	}
	c.mu.Unlock()
	<-c.slots
}

// countedConn gives its place back when it is closed.
type countedConn struct {
	net.Conn
	left func()
}

func (c *countedConn) Close() error {
	c.left()
	return c.Conn.Close()
}

// addrOf returns the address of host:port.
func addrOf(hostPort string) netip.Addr {
	addr, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr().Unmap()
}
