package settle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
)

// Events are kept packed, a line each, so that a million claims are read and assessed without parsing a million documents:
//
//	type ⇥ at ⇥ level ⇥ by ⇥ flags ⇥ until ⇥ code ⇥ record ⇥ room=tenths;room=tenths
//
// Types, levels and makers are their places in the lists of the package refund, which only ever grow.

const (
	fieldSep = "\t"
	flagsYes = "UCANEL" // signed by user, by company, accepted, unauthorised, certificate shown, copy left
	flagsNo  = "ucanel"
)

var escapes = strings.NewReplacer("%", "%25", "\t", "%09", "\n", "%0A", ";", "%3B", "=", "%3D")

var unescapes = strings.NewReplacer("%25", "%", "%09", "\t", "%0A", "\n", "%3B", ";", "%3D", "=")

func flagsOf(e refund.Event) string {
	var b strings.Builder
	for i, f := range []*bool{e.SignedUser, e.SignedCompany, e.Accepted, e.Unauthorised, e.Certificate, e.CopyLeft} {
		switch {
		case f == nil:
		case *f:
			b.WriteByte(flagsYes[i])
		default:
			b.WriteByte(flagsNo[i])
		}
	}
	return b.String()
}

func index[T ~string](list []T, v T) string {
	i := slices.Index(list, v)
	if i < 0 {
		return "" // absent
	}
	return strconv.Itoa(i)
}

func instant(i civil.Instant) string {
	if i.IsZero() {
		return ""
	}
	return strconv.FormatInt(int64(i), 36)
}

// PackEvents writes events in the form in which a claim keeps them.
func PackEvents(events []refund.Event) string {
	var b strings.Builder
	for i, e := range events {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(index(types, e.Type) + fieldSep + instant(e.At) + fieldSep + index(levels, e.Level) + fieldSep + index(makers, e.By) + fieldSep +
			flagsOf(e) + fieldSep + instant(e.Until) + fieldSep + escapes.Replace(e.Code) + fieldSep + escapes.Replace(e.Record) + fieldSep)
		for j, r := range e.Readings {
			if j > 0 {
				b.WriteByte(';')
			}
			b.WriteString(escapes.Replace(r.Room) + "=" + strconv.Itoa(int(r.TempC)))
		}
	}
	return b.String()
}

var (
	types  = refund.EventTypes()
	levels = refund.Levels()
	makers = refund.Makers()
)

// unpacker reads packed events into memory that it uses again; one per goroutine.
type unpacker struct {
	events   []refund.Event
	readings []refund.Reading
}

// UnpackEvents reads what PackEvents wrote.
func UnpackEvents(s string) ([]refund.Event, error) {
	var u unpacker
	return u.unpack(s)
}

func (u *unpacker) unpack(s string) ([]refund.Event, error) {
	u.events, u.readings = u.events[:0], u.readings[:0]
	for s != "" {
		line, rest, _ := strings.Cut(s, "\n")
		s = rest
		e, err := u.event(line)
		if err != nil {
			return nil, fmt.Errorf("read a claim's event %q: %w", line, err)
		}
		u.events = append(u.events, e)
	}
	return u.events, nil
}

func (u *unpacker) event(line string) (refund.Event, error) {
	var e refund.Event
	var f [9]string
	for i := range f {
		f[i], line, _ = strings.Cut(line, fieldSep)
	}
	var err error
	if e.Type, err = at(types, f[0]); err != nil || f[0] == "" {
		return e, fmt.Errorf("no type: %w", err)
	}
	if e.At, err = readInstant(f[1]); err != nil {
		return e, err
	}
	if e.Level, err = at(levels, f[2]); err != nil {
		return e, err
	}
	if e.By, err = at(makers, f[3]); err != nil {
		return e, err
	}
	e.SignedUser, e.SignedCompany, e.Accepted = flag(f[4], 0), flag(f[4], 1), flag(f[4], 2)
	e.Unauthorised, e.Certificate, e.CopyLeft = flag(f[4], 3), flag(f[4], 4), flag(f[4], 5)
	if e.Until, err = readInstant(f[5]); err != nil {
		return e, err
	}
	e.Code, e.Record = plain(f[6]), plain(f[7])
	first := len(u.readings)
	for r := f[8]; r != ""; {
		one, rest, _ := strings.Cut(r, ";")
		r = rest
		room, temp, _ := strings.Cut(one, "=")
		n, err := strconv.Atoi(temp)
		if err != nil {
			return e, fmt.Errorf("reading %q: %w", one, err)
		}
		u.readings = append(u.readings, refund.Reading{Room: plain(room), TempC: celsius.Tenths(n)})
	}
	if len(u.readings) > first {
		e.Readings = u.readings[first:len(u.readings):len(u.readings)]
	}
	return e, nil
}

func plain(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return unescapes.Replace(s)
}

func at[T ~string](list []T, s string) (T, error) {
	if s == "" {
		return "", nil
	}
	i, err := strconv.Atoi(s)
	if err != nil || i < 0 || i >= len(list) {
		return "", fmt.Errorf("%q is no place in a list of %d", s, len(list))
	}
	return list[i], nil
}

func readInstant(s string) (civil.Instant, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 36, 64)
	return civil.Instant(n), err
}

// yes and no are pointed to by events that are read; nobody writes through them.
var yes, no = true, false

func flag(s string, i int) *bool {
	switch {
	case strings.IndexByte(s, flagsYes[i]) >= 0:
		return &yes
	case strings.IndexByte(s, flagsNo[i]) >= 0:
		return &no
	}
	return nil
}

// Basis is the fee that a claim is a share of, as the claim keeps it.
type Basis struct {
	Fee     refund.Fee
	AgreedC *celsius.Tenths
	Arrears money.Fen // what is owed of the season's bill, without what was set off against it
	Unpaid  bool      // the bill is known not to be paid in full
}

// BasisOf takes from a bill what a refund follows from. A bill whose sum is not known leaves the fee without one: the
// assessment then says what is missing.
func BasisOf(b fee.Bill) (Basis, error) {
	out := Basis{AgreedC: b.Term.AgreedC}
	f := refund.Fee{Total: b.Amount, Basic: b.Basic, Metered: b.Metered}
	var err error
	if b.AreaM2 != "" {
		if f.AreaM2, err = refund.ParseQuantity(b.AreaM2); err != nil {
			return out, err
		}
	}
	if per, ok := pers[b.Per]; ok && !b.Metered && !b.Suspended {
		if f.Price, err = refund.ParseQuantity(b.Price); err != nil {
			return out, err
		}
		f.Per = per
	}
	if owed, known := b.Arrears(); known && owed > 0 && b.Paid != nil {
		out.Unpaid, out.Arrears = true, owed
	}
	out.Fee = f
	return out, nil
}

// pers are the engine's words for what a price is for.
var pers = map[citypack.PriceUnit]refund.PricePer{"m2_season": refund.PerSeason, "m2_month": refund.PerMonth, "m2_day": refund.PerDay}

var perLetters = map[refund.PricePer]string{refund.PerSeason: "s", refund.PerMonth: "m", refund.PerDay: "d"}

func sum(f *money.Fen) string {
	if f == nil {
		return ""
	}
	return strconv.FormatInt(int64(*f), 10)
}

// Pack writes the basis in the form in which a claim keeps it.
func (b Basis) Pack() string {
	agreed, kind := "", perLetters[b.Fee.Per]
	if b.AgreedC != nil {
		agreed = strconv.Itoa(int(*b.AgreedC))
	}
	if b.Fee.Metered {
		kind += "2"
	}
	arrears := ""
	if b.Unpaid {
		arrears = strconv.FormatInt(int64(b.Arrears), 10)
	}
	return strings.Join([]string{
		strconv.FormatInt(int64(b.Fee.AreaM2), 10), strconv.FormatInt(int64(b.Fee.Price), 10), sum(b.Fee.Total), sum(b.Fee.Basic), kind, agreed, arrears,
	}, "|")
}

// UnpackBasis reads what Pack wrote.
func UnpackBasis(s string) (Basis, error) {
	var b Basis
	var f [7]string
	rest := s
	for i := range f {
		f[i], rest, _ = strings.Cut(rest, "|")
	}
	number := func(s string) (n int64, err error) {
		if s != "" {
			n, err = strconv.ParseInt(s, 10, 64)
		}
		return n, err
	}
	var n [7]int64
	for i := range f {
		if i == 4 {
			continue
		}
		var err error
		if n[i], err = number(f[i]); err != nil {
			return b, fmt.Errorf("read a claim's basis %q: %w", s, err)
		}
	}
	b.Fee.AreaM2, b.Fee.Price, b.Fee.Metered = refund.Quantity(n[0]), refund.Quantity(n[1]), strings.HasSuffix(f[4], "2")
	switch {
	case strings.HasPrefix(f[4], "s"):
		b.Fee.Per = refund.PerSeason
	case strings.HasPrefix(f[4], "m"):
		b.Fee.Per = refund.PerMonth
	case strings.HasPrefix(f[4], "d"):
		b.Fee.Per = refund.PerDay
	}
	if f[2] != "" {
		v := money.Fen(n[2])
		b.Fee.Total = &v
	}
	if f[3] != "" {
		v := money.Fen(n[3])
		b.Fee.Basic = &v
	}
	if f[5] != "" {
		v := celsius.Tenths(n[5])
		b.AgreedC = &v
	}
	b.Unpaid, b.Arrears = f[6] != "", money.Fen(n[6])
	return b, nil
}
