package main

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"cadastre/epp/eppxml"
)

// parsePeriod reads a period such as 2y or 18m; "" is the server's default.
func parsePeriod(s string) (eppxml.Period, error) {
	if s == "" {
		return eppxml.Period{}, nil
	}
	parts := regexp.MustCompile(`^(\d{1,2})([ym]?)$`).FindStringSubmatch(s)
	if parts == nil {
		return eppxml.Period{}, &usageError{fmt.Sprintf("--period %s: want a period such as 1y or 18m", s)}
	}
	count, _ := strconv.Atoi(parts[1]) // two digits
	return eppxml.Period{Count: count, Unit: firstNonEmpty(parts[2], eppxml.UnitYear)}, nil
}

// parseContacts reads contacts given as ROLE:ID.
func parseContacts(flag string, values []string) ([]eppxml.DomainContact, error) {
	var contacts []eppxml.DomainContact
	for _, value := range values {
		role, id, ok := strings.Cut(value, ":")
		if !ok || id == "" {
			return nil, &usageError{fmt.Sprintf("--%s %s: want ROLE:ID, such as admin:jd1", flag, value)}
		}
		contacts = append(contacts, eppxml.DomainContact{Type: role, ID: id})
	}
	return contacts, nil
}

// parseAddrs reads IP addresses.
func parseAddrs(flag string, values []string) ([]eppxml.HostAddr, error) {
	var addrs []eppxml.HostAddr
	for _, value := range values {
		ip, err := netip.ParseAddr(value)
		if err != nil {
			return nil, &usageError{fmt.Sprintf("--%s %s: want an IP address", flag, value)}
		}
		version := "v6"
		if ip.Is4() {
			version = "v4"
		}
		addrs = append(addrs, eppxml.HostAddr{IP: version, Addr: value})
	}
	return addrs, nil
}

func statuses(values []string) []eppxml.Status {
	var list []eppxml.Status
	for _, value := range values {
		list = append(list, eppxml.Status{Value: value})
	}
	return list
}

// nameServers returns the element for hosts, nil for none.
func nameServers(hosts []string) *eppxml.NameServers {
	if len(hosts) == 0 {
		return nil
	}
	return &eppxml.NameServers{HostObjs: hosts}
}

// authInfo returns the password given, or a random one, which the caller shows.
func (a *app) authInfo(password string) *eppxml.AuthInfo {
	if password == "" {
		password = newAuthInfo()
		a.say("authInfo: %s\n", password)
	}
	return &eppxml.AuthInfo{Password: password}
}

// newAuthInfo returns random authorisation information of 130 bits, which TLDs that keep to
// RFC 9154 accept.
func newAuthInfo() string { return rand.Text() }

// optionalAuthInfo returns nil for no password.
func optionalAuthInfo(password string) *eppxml.AuthInfo {
	if password == "" {
		return nil
	}
	return &eppxml.AuthInfo{Password: password}
}

func optionalPhone(number string) *eppxml.Phone {
	if number == "" {
		return nil
	}
	return &eppxml.Phone{Number: number}
}
