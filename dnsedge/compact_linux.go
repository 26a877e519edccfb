package dnsedge

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const hugePage = 2 << 20 // of amd64 and arm64

// useHugePages asks the kernel to map the memory with huge pages, as far as it covers whole ones. It is a hint:
// what fails changes nothing but speed.
func useHugePages(b []byte) {
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (hugePage - 1))
	if len(b) < skip+hugePage {
		return
	}
	b = b[skip : skip+(len(b)-skip)&^(hugePage-1)]
	if unix.Madvise(b, unix.MADV_HUGEPAGE) == nil {
		_ = unix.Madvise(b, unix.MADV_COLLAPSE)
	}
}
