// Package epp is the registrars' door to the registry: the Extensible Provisioning
// Protocol of RFC 5730 with its domain, host and contact mappings (RFC 5731 to RFC 5733)
// over TLS (RFC 5734).
//
// A session is one goroutine that answers frames in the order in which they come. Queries
// read the local state, linearizably; transforms become commands of the replicated state
// machine, one file here for one file there. Shape and syntax are judged here, before
// anything is proposed; the rules of the registry are judged where the command is applied.
// Result codes exist in this package alone (result.go).
//
// The server advertises and implements hello, login, logout, check, info, create, update,
// delete and renew. It answers transfer and poll with 2101, a change of password at login
// with 2102, and any extension with 2103.
package epp
