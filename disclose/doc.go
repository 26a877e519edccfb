// Package disclose says what an object of the registry looks like to whoever asks for it. RDAP and
// WHOIS show the same things because both show what this package gives them: what is withheld is
// decided here, by the policy of the TLD, the consent of the contact and who asks.
package disclose
