//go:build !linux

// Command soakfaults needs Linux.
package main

import "fmt"

func main() {
	fmt.Println("SKIPPED: network namespaces and file systems of one's own need Linux")
}
