// Package dnsedge is the authoritative DNS edge of the registry. It serves one or several TLD zones over UDP and TCP
// from an immutable in-memory view.
//
// A [View] holds every served zone. A [Zone] is a paged hash table from owner names to their records; an update copies
// only the pages that it touches and yields a new Zone, so readers take no lock and each query is answered from one
// serial. [Responder.Respond] turns a query into a reply without sockets, clocks or allocations; [Server] puts it
// behind UDP and TCP and follows the published zones through a [Source].
//
// Each UDP worker has a socket of its own on the shared port (SO_REUSEPORT) and moves up to 32 datagrams with one system call
// (recvmmsg, sendmmsg). It is a goroutine and not tied to a thread: a locked one costs two more switches of threads whenever it
// waits, and under load it does not wait, so that the scheduler leaves it where it is.
package dnsedge
