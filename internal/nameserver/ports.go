package nameserver

import (
	"errors"
	"fmt"
	"net"
)

// portAttempts bounds the search for a port that is free for both transports: the kernel picks it for TCP, and one in some
// hundreds is in use for UDP on a busy machine.
const portAttempts = 100

// Ports holds one number on 127.0.0.1, for UDP and for TCP, so that nobody else is given it.
type Ports struct {
	number int
	udp    *net.UDPConn
	tcp    *net.TCPListener
}

// Reserve takes a number that is free for UDP and TCP alike and holds it until Release.
func Reserve() (*Ports, error) {
	var last error
	for range portAttempts {
		p, err := reserve(0)
		if err == nil {
			return p, nil
		}
		last = err
	}
	return nil, fmt.Errorf("no port is free for both UDP and TCP after %d attempts: %w", portAttempts, last)
}

func reserve(number int) (*Ports, error) {
	loopback := net.IPv4(127, 0, 0, 1)
	tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: loopback, Port: number})
	if err != nil {
		return nil, fmt.Errorf("reserve a TCP port: %w", err)
	}
	number = tcp.Addr().(*net.TCPAddr).Port
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback, Port: number})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reserve UDP port %d: %w", number, err), tcp.Close())
	}
	return &Ports{number: number, udp: udp, tcp: tcp}, nil
}

// Number is the port number, which stays the same after Release.
func (p *Ports) Number() int { return p.number }

// Address is 127.0.0.1 with the port, as net.Dial takes it.
func (p *Ports) Address() string { return fmt.Sprintf("127.0.0.1:%d", p.number) }

// Release frees the port for the server that is to have it. The server must take it at once: what is free may be given to
// anybody. Releasing twice is allowed.
func (p *Ports) Release() error {
	if p.udp == nil {
		return nil
	}
	err := errors.Join(p.udp.Close(), p.tcp.Close())
	p.udp, p.tcp = nil, nil
	return err
}

// Hold takes the port again after its server has ended.
func (p *Ports) Hold() error {
	if p.udp != nil {
		return nil
	}
	again, err := reserve(p.number)
	if err != nil {
		return err
	}
	*p = *again
	return nil
}
