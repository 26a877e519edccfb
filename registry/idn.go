package registry

// IDN is what an internationalised domain name was registered as; the zero value is that of an
// ASCII name.
type IDN struct {
	// Table is the tag of the IDN table.
	Table string
	// Key is what the label has in common with all its variants under its TLD.
	Key string
}
