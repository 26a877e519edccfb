// Command cadastre runs a top-level-domain registry on a cluster of nodes and is the
// operator's and registrar's command line to it: `cadastre server` is a node, `cadastre dev`
// a whole cluster on one machine, and the other verbs administer one.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
