// Package dnssec signs zones: it computes the publication that brings owner names up to date, with signatures and the
// chain that proves absence, and checks publications by code of its own before anyone may propose them.
//
// A signed zone keeps its signatures from one publication to the next: only sets of records that changed, or whose
// signature nears its end or comes from a key that no longer signs, are signed anew. The denial chain is kept by
// neighbours: adding a name changes its own record and its predecessor's, nothing else.
package dnssec
