package api

import (
	"slices"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
)

// The bounds of a list, as the standard sets them, and of the pages through it.
const (
	span311   = 90 * 24 * time.Hour
	most311   = 1000
	mostIDs   = 200
	deepest   = 10_000 // rows that paging by number reaches; further back by date
	coarse    = 2      // decimals of a coordinate that anybody may read: about a kilometre
	precise   = 6
	statusTop = "closed"
)

func (a *API) redeemToken(c *call) (document, error) {
	found, err := a.Cases.ByToken(c.r.Context(), c.city, c.suffix)
	if fault.Is(err, fault.NotFound) {
		found, err = a.Cases.ByNo(c.r.Context(), public(), c.city, c.suffix)
	}
	if err != nil {
		return document{}, notFound311(err, c.suffix)
	}
	list := []redeemed{{ID: found.No, Token: c.suffix}} // never the case's own token: it opens the resident's page
	return document{json: list, xml: redeemeds{Requests: list}}, nil
}

func notFound311(err error, id string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "open311.no_request", "id", shown(id))
	}
	return err
}

func (a *API) showRequest(c *call) (document, error) {
	found, err := a.Cases.ByNo(c.r.Context(), public(), c.city, c.suffix)
	if err != nil {
		return document{}, notFound311(err, c.suffix)
	}
	view, err := a.Cases.View(c.r.Context(), public(), c.city, found.ID)
	if err != nil {
		return document{}, err
	}
	return a.render(c, []cases.Case{view.Case}, func(cases.Case) civil.Instant { return promisedTo(view.Clocks) })
}

// promisedTo is by when the resident may expect to be warm, or to have an answer.
func promisedTo(clocks []clock.Clock) civil.Instant {
	for _, k := range clocks {
		if k.Code == citypack.ClockResident && k.State != clock.Void {
			return k.Due
		}
	}
	return 0
}

func (a *API) listRequests(c *call) (document, error) {
	var found []cases.Case
	var err error
	if ids := c.list("service_request_id"); len(ids) > 0 {
		found, err = a.named(c, ids)
	} else {
		found, err = a.searched(c)
	}
	if err != nil {
		return document{}, err
	}
	return a.render(c, found, func(cases.Case) civil.Instant { return 0 })
}

// named finds cases by their numbers; this overrides every other argument.
func (a *API) named(c *call, ids []string) ([]cases.Case, error) {
	if len(ids) > mostIDs {
		return nil, refuse("service_request_id", "httpx.list_too_long", "max", mostIDs)
	}
	var out []cases.Case
	for _, id := range ids {
		one, err := a.Cases.ByNo(c.r.Context(), public(), c.city, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y cases.Case) int { return int(y.Seq - x.Seq) })
	return out, nil
}

// searched finds cases by the filters of the standard, the last received first.
func (a *API) searched(c *call) ([]cases.Case, error) {
	var check fault.Check
	f := cases.Filter{Sort: "received", Among: c.list("service_code")}
	states(c, &f, &check)
	a.dates(c, &f, &check)
	skip, take := pages(c, &check)
	if err := check.Err(); err != nil {
		return nil, err
	}
	var out []cases.Case
	f.Request = page.Request{Size: min(skip+take, page.MaxSize)}
	for seen := 0; seen < skip+take; {
		p, err := a.Cases.List(c.r.Context(), public(), c.city, f)
		if err != nil {
			return nil, err
		}
		for _, one := range p.Items {
			if seen++; seen > skip && seen <= skip+take {
				out = append(out, one)
			}
		}
		if f.After = p.Next; f.After == "" {
			break
		}
	}
	return out, nil
}

func states(c *call, f *cases.Filter, check *fault.Check) {
	list := c.list("status")
	for _, s := range list {
		check.That(s == "open" || s == statusTop, "status", "field.not_one_of", "allowed", "open, closed")
	}
	if len(list) == 1 {
		f.State = list[0]
	}
}

// dates reads the range: ninety days back from now, from the one end that is given, or as both ends say. Whoever asks for
// what changed since they last asked is not held to a range.
func (a *API) dates(c *call, f *cases.Filter, check *fault.Check) {
	from, to := moment(c, "start_date", check), moment(c, "end_date", check)
	f.Since, f.Until = moment(c, "updated_after", check), moment(c, "updated_before", check)
	switch {
	case !from.IsZero() && !to.IsZero():
		check.That(!to.Before(from), "end_date", "case.to_before_from")
		check.That(to.Sub(from) <= span311, "end_date", "open311.span", "days", 90)
	case !from.IsZero():
		to = from.Add(span311)
	case !to.IsZero():
		from = to.Add(-span311)
	case f.Since.IsZero():
		from = a.o.Now().Add(-span311)
	}
	f.Received[0] = from
	if !to.IsZero() {
		f.Received[1] = to.Add(time.Millisecond) // the latest moment belongs to the range
	}
}

func moment(c *call, name string, check *fault.Check) civil.Instant {
	s := c.arg(name)
	if s == "" {
		return 0
	}
	if day, err := civil.ParseDate(s); err == nil {
		if name == "end_date" {
			return day.End().Add(-time.Millisecond)
		}
		return day.Start()
	}
	at, err := civil.ParseInstant(s)
	check.That(err == nil, name, "field.not_a_time")
	return at
}

// pages reads page and page_size, an extension that most servers have.
func pages(c *call, check *fault.Check) (skip, take int) {
	no, size := 1, most311
	for name, at := range map[string]*int{"page": &no, "page_size": &size} {
		if s := c.arg(name); s != "" {
			n, err := strconv.Atoi(s)
			if check.That(err == nil && n >= 1 && n <= deepest, name, "field.out_of_range", "min", 1, "max", deepest) {
				*at = n
			}
		}
	}
	size = min(size, most311)
	skip = (no - 1) * size
	check.That(skip < deepest, "page", "open311.too_deep")
	return skip, size
}

// render shows cases as far as the reader may see them.
func (a *API) render(c *call, found []cases.Case, expected func(cases.Case) civil.Instant) (document, error) {
	names, err := a.agencies(c.r.Context(), c.city)
	if err != nil {
		return document{}, err
	}
	list := make([]request, 0, len(found))
	for _, one := range found {
		list = append(list, shape(c, one, names, expected(one)))
	}
	return document{json: list, xml: requests{Requests: list}}, nil
}

// shape writes one case. Anybody learns what the matter is, how far it has come and in which community; words, house and
// place are for a key whose owner may read the case.
func shape(c *call, one cases.Case, agencies map[string]string, expected civil.Instant) request {
	out := request{
		ID: one.No, Status: "open", StatusNotes: words(text.T(c.lang, "status."+string(one.Status))), ServiceCode: one.Category,
		Agency: words(agencies[one.Company]), Requested: instant(one.ReceivedAt), Updated: instant(one.UpdatedAt), Expected: instant(expected),
	}
	if cat, ok := c.rules.Pack.Category(one.Category); ok {
		out.ServiceName = words(cat.Name.In(c.lang))
	}
	if !one.Open {
		out.Status = statusTop
		if !one.ClosedAt.IsZero() {
			out.Updated = instant(one.ClosedAt)
		}
	}
	switch {
	case c.keyed && mayRead(c.by, one):
		out.Description, out.Media = words(one.Text), words(one.Details.Media)
		out.Address, out.AddressID = words(one.Address), words(one.Community)
		out.Lat, out.Long = degree(one.Lat, precise), degree(one.Lng, precise)
		if !one.Open {
			out.Notice = words(one.Answer)
		}
	case !one.Secret:
		out.Address, out.AddressID = words(one.CommunityName), words(one.Community)
		out.Lat, out.Long = degree(one.Lat, coarse), degree(one.Lng, coarse)
	}
	return out
}

// mayRead reports whether the owner of a key sees all of a case; what somebody told in confidence is for those who take
// reports in.
func mayRead(by actor.Actor, one cases.Case) bool {
	return by.May(actor.CaseRead, one.On()) == nil && (!one.Secret || by.MayAny(actor.CaseAccept, one.City))
}
