// Package load is what the benchmarks and soaks share: registrars' sessions that create
// domains, name servers that are asked until they know one, and figures over many samples.
package load
