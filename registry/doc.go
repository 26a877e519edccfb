// Package registry holds the nouns of a domain registry: names, identifiers, objects,
// statuses, money and errors. It knows no storage, no protocol and no clock; everything
// here is a plain value that the other packages pass around.
package registry
