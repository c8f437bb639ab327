package notice

import "slices"

// Play sets up a gateway of a channel that has none with one that is played: a demonstration's own, of which a page shows
// what it was given. It is called before the first message is sent.
func (s *Service) Play(c Channel, g Gateway) {
	if s.o.Gateways[c] != nil {
		return // a real one is there
	}
	if s.o.Gateways == nil {
		s.o.Gateways = map[Channel]Gateway{}
	}
	s.o.Gateways[c] = g
	s.played = append(s.played, c)
}

// Hear believes what a played gateway reports back under its signature, unless a real one is heard already.
func (s *Service) Hear(signer Signer) {
	if s.o.Inbound == nil {
		s.o.Inbound = &signer
	}
}

// Played reports whether a channel's gateway is played.
func (s *Service) Played(c Channel) bool {
	return slices.Contains(s.played, c)
}
