// Package outward is for calls to addresses that somebody outside has named: the address of a subscriber's program, the
// push service that a browser says it uses. Such an address may point at this machine or its neighbours.
//
// Invariant: nothing inside the own network is ever called unless the operator allows it, whatever a name leads to at the
// moment of the call; no redirect is followed and no proxy asked.
package outward

import (
	"net/netip"
	"net/url"
	"slices"
)

// GoodURL takes https addresses, and plain ones only inside the networks that the operator allows.
func GoodURL(s string, allow []netip.Prefix) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	ip, isIP := netip.ParseAddr(u.Hostname())
	if isIP == nil && !Reachable(ip, allow) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isIP == nil && inside(ip, allow)
}

// Reachable reports whether an address may be called: a public one, or one inside the networks that the operator allows.
// It is asked again for every address that a name leads to when the call is made, so that a name cannot be pointed inside
// after it was checked.
func Reachable(ip netip.Addr, allow []netip.Prefix) bool {
	ip = ip.Unmap()
	if inside(ip, allow) {
		return true
	}
	if !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return false
	}
	return !inside(ip, special())
}

func inside(ip netip.Addr, nets []netip.Prefix) bool {
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

// special are the networks that look public and are not (IANA special-purpose registries): carriers' own, benchmarks,
// documentation, reserved, and the ways of writing an IPv4 address inside an IPv6 one.
func special() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}
