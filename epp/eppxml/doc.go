// Package eppxml turns EPP frames into typed Go values and back (RFC 5730 to RFC 5734).
//
// It holds a small XML reader made for EPP: UTF-8 only, namespace-aware, with a bound on everything and without document
// types, external entities or processing instructions. Over it lies a decoder that is as strict as the schemas of the core
// and of the domain, host, contact, organisation and key relay mappings: order, cardinality, facets, enumerations and
// attributes. The encoders append to a byte slice and use no reflection.
//
// Each object command has one file, which holds its request type, its decoder and the encoder of its response data.
//
// Where the codec is stricter than a schema validator, on purpose: processing instructions, document types, encodings
// other than UTF-8, XML versions other than 1.0, xsi:type and xsi:nil are refused, and so is an object element that does
// not belong to the verb around it (domain:info within create). Where it is looser: children of <extension>, of an
// authInfo <ext> and of elements without a declared type are only checked to be well-formed; their own codecs judge them.
package eppxml

// Namespace names of the schemas that this package decodes (RFC 5730 to RFC 5733).
const (
	NSEPP     = "urn:ietf:params:xml:ns:epp-1.0"
	NSCommon  = "urn:ietf:params:xml:ns:eppcom-1.0"
	NSDomain  = "urn:ietf:params:xml:ns:domain-1.0"
	NSHost    = "urn:ietf:params:xml:ns:host-1.0"
	NSContact = "urn:ietf:params:xml:ns:contact-1.0"
)

// Namespaces with a fixed meaning in every XML document.
const (
	nsXML   = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS = "http://www.w3.org/2000/xmlns/"
	nsXSI   = "http://www.w3.org/2001/XMLSchema-instance"
)

// Bounds on what one frame may hold. Each is checked before memory is taken for the thing that it bounds.
const (
	// MaxFrame bounds a request in bytes. The largest real requests (a signed mark, or a check of some hundred names)
	// stay below a third of it.
	MaxFrame = 64 << 10
	// MaxResponseFrame bounds a response that the client side reads: an info may list thousands of subordinate hosts.
	MaxResponseFrame = 1 << 20
	// MaxDepth bounds nesting. EPP with its extensions needs fewer than 15 levels.
	MaxDepth = 32
	// MaxTokens bounds tags, runs of text, comments and CDATA sections of a request together.
	MaxTokens = 10_000
	// maxResponseTokens is the same for a response, whose size bound is sixteen times as large.
	maxResponseTokens = 160_000
	// MaxAttributes bounds the attributes of one element, namespace declarations included.
	MaxAttributes = 32
	// MaxAttributeBytes bounds one attribute value; only xsi:schemaLocation comes near a kilobyte.
	MaxAttributeBytes = 4 << 10
	// MaxTextBytes bounds the text of one element: an encoded signed mark takes about 10 KiB.
	MaxTextBytes = 32 << 10
	// MaxNameBytes bounds a tag or attribute name with its prefix.
	MaxNameBytes = 256
	// MaxNamespaces bounds the namespace bindings in scope at any point.
	MaxNamespaces = 64
)
