// Package keystore keeps the private halves of zone keys on a voter: one file for each, sealed with XChaCha20-Poly1305
// under a key that lies outside the data folder. Nothing here is replicated, and no message names more than ids.
package keystore
