// Command eppload compares a Cadastre cluster with an etcd cluster of as many nodes on the
// same machine: EPP creates under all rules against puts of 512 octets, and how many
// linearizable checks and infos the followers answer. The two are never loaded, nor even
// running, at the same time.
package main
