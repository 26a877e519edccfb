package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// maxSocketPathBytes is what the systems allow for the path of a Unix socket.
	maxSocketPathBytes = 100
	// devControlReadTimeout bounds the arrival of a request, which is one line.
	devControlReadTimeout = 5 * time.Second
	maxControlLineBytes   = 1024
	// maxControlRequests is above the number of nodes, so that all can be started at once.
	maxControlRequests = 32
)

// devSocketPath returns where the `cadastre dev` that runs the cluster in dir takes
// requests from other shells.
func devSocketPath(dir string) string {
	path := filepath.Join(dir, "dev.sock")
	if len(path) <= maxSocketPathBytes {
		return path
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(os.TempDir(), fmt.Sprintf("cadastre-dev-%.12x.sock", sum[:]))
}

// serveControl answers requests until ctx ends. The folder is locked, so a socket that is
// there already is a dead one.
func (d *devCluster) serveControl(ctx context.Context) error {
	path := devSocketPath(d.dir)
	_ = os.Remove(path) // normally not there
	listener, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("take requests from other shells: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() }) // ends Accept and removes the socket
	defer stop()
	requests := errgroup.Group{}
	requests.SetLimit(maxControlRequests)
	defer func() { _ = requests.Wait() }() // they report to those who asked
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("take requests from other shells: %w", err)
		}
		requests.Go(func() error {
			d.answerControl(ctx, conn)
			return nil
		})
	}
}

// answerControl does what one request asks: "start NODE".
func (d *devCluster) answerControl(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }() // the answer is out or the other side is gone
	_ = conn.SetReadDeadline(time.Now().Add(devControlReadTimeout))
	line, err := bufio.NewReader(io.LimitReader(conn, maxControlLineBytes)).ReadString('\n')
	if err != nil {
		return
	}
	id, ok := strings.CutPrefix(strings.TrimSpace(line), "start ")
	reply := "ok"
	switch {
	case !ok:
		reply = "unknown request"
	default:
		if err := d.restart(ctx, id); err != nil {
			reply = oneLine(err)
		}
	}
	_, _ = fmt.Fprintln(conn, reply) // the other side may be gone
}

// restart brings a node back on its data and returns when it serves again, or as far as it
// can while most of the others are down.
func (d *devCluster) restart(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, devStartTimeout)
	defer cancel()
	m, err := d.member(id)
	if err != nil {
		return err
	}
	if err := d.start(m); err != nil {
		return err
	}
	if err := d.writeInfo(); err != nil { // the process id, for whoever looks while it starts
		return err
	}
	if !d.majorityRuns() {
		if err := d.waitAlone(ctx, m); err != nil {
			return err
		}
		d.announce("%s is back, as process %d; it takes commands again once a majority of the voters runs", id, d.process(m).pid())
		return nil
	}
	if err := d.waitNode(ctx, m); err != nil {
		return err
	}
	d.announce("%s is back, as process %d", id, d.process(m).pid())
	return nil
}

// askDev has the running `cadastre dev` of the folder bring a node back.
func askDev(ctx context.Context, dir, id string) error {
	conn, err := (&net.Dialer{Timeout: devControlReadTimeout}).DialContext(ctx, "unix", devSocketPath(dir))
	if err != nil {
		return fmt.Errorf("no `cadastre dev` runs in %s; start the whole cluster again: cadastre dev --dir %s", dir, dir)
	}
	defer func() { _ = conn.Close() }() // nothing is lost
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = conn.SetDeadline(time.Now().Add(devStartTimeout))
	if _, err := fmt.Fprintf(conn, "start %s\n", id); err != nil {
		return fmt.Errorf("ask the running `cadastre dev`: %w", err)
	}
	reply, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("wait for the running `cadastre dev`: %w", err)
	}
	if reply = strings.TrimSpace(reply); reply != "ok" {
		return errors.New(reply)
	}
	return nil
}
