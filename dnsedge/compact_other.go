//go:build !linux

package dnsedge

// useHugePages does nothing on this system.
func useHugePages([]byte) {}
