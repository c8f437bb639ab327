package citypack

import "time"

// SetMachine lets a test move the machine clock of a service.
func (s *Service) SetMachine(now func() time.Time) { s.machine = now }
