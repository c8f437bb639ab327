package resident_test

import (
	"regexp"
	"testing"
)

func TestDigitsAtTheDoor(t *testing.T) {
	each(t, options{}, func(k *hall) {
		today := k.d.Now().Date()
		one := k.Digits(city, "case:1", today)
		if !regexp.MustCompile(`^\d{4}$`).MatchString(one) || k.Digits(city, "case:1", today) != one {
			k.t.Errorf("digits %q", one)
		}
		others := map[string]bool{one: true}
		for n := range 20 {
			others[k.Digits(city, "case:1", today.AddDays(n+1))] = true
		}
		if len(others) < 15 {
			k.t.Errorf("21 days have only %d different digits", len(others))
		}
	})
}
