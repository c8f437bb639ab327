package resident

import (
	"fmt"
	"strconv"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Digits are the four digits by which a resident and whoever stands at the door know each other: both telephones show the
// same for a matter on a day, and nobody else can reckon them.
func (s *Service) Digits(city int, matter string, day civil.Date) string {
	h := s.o.Ring.Blind("resident door", strconv.Itoa(city)+"\x00"+matter+"\x00"+day.String())
	n, err := strconv.ParseUint(h[:12], 16, 64)
	if err != nil {
		panic(err) // a keyed hash is hexadecimal
	}
	return fmt.Sprintf("%04d", n%10_000)
}
