package dnsedge

import "time"

const (
	// udpQueryOctets is the longest query taken over UDP; longer datagrams are dropped. It is what a TCP query may have.
	udpQueryOctets = 4096
	// udpReplyRoom is what Respond may use of a reply buffer before it finds that a record does not fit: the limit
	// and an SOA with two names of full length.
	udpReplyRoom = maxUDPOctets + 1072
	// udpReceiveBuffer is the kernel's queue per socket: some milliseconds of queries at full rate. More would only
	// add latency under overload.
	udpReceiveBuffer = 1 << 20
	// udpErrorPause follows a receive call that failed for want of kernel memory.
	udpErrorPause = 10 * time.Millisecond
)
