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
// The server advertises and implements all commands of RFC 5730, and the extensions in the
// table of extensions.go: DNSSEC (RFC 5910), grace periods (RFC 3915), unhandled namespaces
// (RFC 9038), secure authorisation information (RFC 9154) and login security (RFC 8807). A
// session may use those that its login named; any other is answered with 2103. What happens to a registrar's
// objects without its doing it learns by poll; every answer says how many messages wait.
package epp
