package main

import (
	"fmt"
	"unicode/utf8"

	"cadastre/idn"
	"cadastre/registry"
)

// typedName returns the canonical form of a domain or host name that somebody typed: labels
// that are not ASCII become A-labels.
func typedName(text string) (string, error) {
	ascii, err := idn.ASCII(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", text, err)
	}
	name, err := registry.ParseDomainName(ascii)
	return string(name), err
}

// typedKey is typedName for an argument that may also be the id of a contact, which is ASCII.
func typedKey(text string) (string, error) {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return typedName(text)
		}
	}
	return text, nil
}
