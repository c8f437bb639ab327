package mail

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
)

// keyFor is the key of an answer with the city before it, as a message's key has it by itself.
func keyFor(city int, key string) string { return fmt.Sprintf("%d.%s", city, key) }

func cityOf(key string) (int, error) {
	head, _, _ := strings.Cut(key, ".")
	city, err := strconv.Atoi(head)
	if err != nil {
		return 0, fmt.Errorf("send by mail: the key %q names no city", key)
	}
	return city, nil
}

// reversed turns references that stand the nearest first into the order of the header.
func reversed(refs string) []string {
	all := strings.Fields(refs)
	slices.Reverse(all)
	return all
}

// stopToken proves that whoever opens the page of a letter has the letter.
func (s *Service) stopToken(key string) string {
	return key + "." + s.o.Ring.Blind("mail.stop", key)[:24]
}

// stopKey takes such a token apart; false when it is not one of ours.
func (s *Service) stopKey(city int, token string) (string, bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 || s.stopToken(token[:i]) != token {
		return "", false
	}
	of, err := cityOf(token[:i])
	return token[:i], err == nil && of == city
}

// idIn takes the key of a message apart.
func idIn(key string) string {
	_, rest, _ := strings.Cut(key, ".")
	id, _, _ := strings.Cut(rest, ".")
	return id
}

func required(name, value string) error {
	var c fault.Check
	c.That(value != "", name, "field.required")
	return c.Err()
}
