package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// ExchangePath is where a platform's requests go; docs/exchange.md has the contract.
const ExchangePath = "/c/{city}/hooks/exchange/{platform}"

// exchangeRoutes are the pages of 12345 and other platforms (平台对接), of companies' own hotlines, and the doors of the
// platforms themselves.
func (w *Web) exchangeRoutes() []Route {
	if w.Exchange == nil || w.Cases == nil || w.Rules == nil {
		return nil
	}
	read, send, manage := may(actor.ExchangeRead), may(actor.ExchangeSend), may(actor.ExchangeManage)
	calls := may(actor.HotlineRead)
	return []Route{
		post(ExchangePath+"/messages", signed, fromPlatform(w.Exchange.Take)),
		post(ExchangePath+"/resend", signed, fromPlatform(w.Exchange.Resend)),
		post(ExchangePath+"/ledger", signed, fromPlatform(w.Exchange.Ledger)),
		post(ExchangePath+"/files", signed, w.platformFile),
		get("/c/{city}/platforms", read, w.platformsPage),
		post("/c/{city}/platforms/{platform}/replay", manage, w.replayPlatform),
		get("/c/{city}/platforms/{platform}/edit", may(actor.KeyManage), w.platformForm),
		post("/c/{city}/platforms/{platform}/edit", may(actor.KeyManage), w.savePlatform),
		get("/c/{city}/platforms/{platform}/days", mayInAll(actor.ExchangeRead), w.platformDay),
		get("/c/{city}/platforms/{platform}/days/export", mayInAll(actor.ExchangeRead), w.dayExport),
		post("/c/{city}/platforms/{platform}/days/compare", manage, w.compareDay),
		post("/c/{city}/platforms/{platform}/days/repair", manage, w.repairDay),
		post("/c/{city}/platform_messages/{entry}/replay", manage, w.decideMessage(w.Exchange.Replay, "exchangepage.replayed")),
		post("/c/{city}/platform_messages/{entry}/drop", manage, w.decideMessage(w.Exchange.Drop, "exchangepage.dropped")),
		get("/c/{city}/tickets", read, w.ticketsPage),
		get("/c/{city}/tickets/export", read, w.ticketsExport),
		get("/c/{city}/tickets/{ticket}", read, w.ticketPage),
		post("/c/{city}/tickets/{ticket}/say", send, w.sayTicket),
		post("/c/{city}/tickets/{ticket}/settle", send, w.settleTicket),
		post("/c/{city}/tickets/{ticket}/files/{file}", send, w.refetchFile),
		post("/c/{city}/cases/{case}/hand_over", send, w.handOver),
		get("/c/{city}/hotlines", calls, w.hotlinesPage),
		get("/c/{city}/hotlines/export", calls, w.hotlinesExport),
	}
}

// fromPlatform answers a platform's signed request in JSON, whatever it says that it accepts.
func fromPlatform[Out any](use func(ctx context.Context, city int, code string, in notice.Signed) (Out, error)) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		in, err := notice.FromRequest(r)
		if err != nil {
			return httpx.Malformed(err)
		}
		out, err := use(r.Context(), httpx.City(r.Context()), param(r, "platform"), in)
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				return err // logged with the request
			}
			httpx.WriteProblem(rw, r, err)
			return nil
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Cache-Control", "no-store")
		return json.NewEncoder(rw).Encode(out)
	}
}

// platformFile hands a platform the bytes of a file that we named to it.
func (w *Web) platformFile(rw http.ResponseWriter, r *http.Request) error {
	in, err := notice.FromRequest(r)
	if err != nil {
		return httpx.Malformed(err)
	}
	f, err := w.Exchange.GiveFile(r.Context(), httpx.City(r.Context()), param(r, "platform"), in)
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return err // logged with the request
		}
		httpx.WriteProblem(rw, r, err)
		return nil
	}
	defer func() { _ = f.Body.Close() }() // read-only
	rw.Header().Set("Content-Type", f.MediaType)
	rw.Header().Set("Content-Length", strconv.FormatInt(f.Size, 10))
	rw.Header().Set("Cache-Control", "no-store")
	_, err = io.Copy(rw, f.Body)
	return err
}

// refetchFile has a file of the platform fetched again.
func (w *Web) refetchFile(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[exchange.Refetching](r)
	if err == nil {
		in.City, in.File = city, param(r, "file")
		_, err = w.Exchange.Refetch(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, ticketPath(city, param(r, "ticket")), "exchangepage.refetching")
}

type platformsView struct {
	city    int
	list    []exchange.Health
	waiting []exchange.Waiting
	manage  bool
	keys    bool
	whole   bool
}

// platformsPage shows the platforms, how they are, and what waits.
func (w *Web) platformsPage(rw http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := platformsView{city: httpx.City(ctx)}
	v.manage, v.keys = by(r).MayAny(actor.ExchangeManage, v.city), by(r).MayAny(actor.KeyManage, v.city)
	v.whole = by(r).ScopeOf(actor.ExchangeRead, v.city).All
	var err error
	if v.list, err = w.Exchange.Platforms(ctx, by(r), v.city); err != nil {
		return err
	}
	if v.waiting, err = w.Exchange.Queue(ctx, by(r), v.city, "", ""); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.platforms"), Nav: "platforms", Body: platformsBody(v)})
}

func platformsPath(city int) string { return at("/c/{city}/platforms", city) }

func (w *Web) replayPlatform(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	_, err := w.Exchange.ReplayAll(r.Context(), by(r), city, param(r, "platform"))
	return w.after(rw, r, err, platformsPath(city), "exchangepage.replayed_all")
}

// decideMessage sends a refused message again or takes it back.
func (w *Web) decideMessage(use func(context.Context, actor.Actor, exchange.Deciding) (exchange.Entry, error), done string) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		city := httpx.City(r.Context())
		in, err := httpx.Bind[exchange.Deciding](r)
		if err == nil {
			in.City, in.Message = city, param(r, "entry")
			_, err = use(r.Context(), by(r), in)
		}
		return w.after(rw, r, err, platformsPath(city), done)
	}
}

type platformForm struct {
	city int
	p    exchange.Platform
	form ui.Form
}

// newPlatform is the code in the address of the form for a new one.
const newPlatform = "-"

func (w *Web) platformOf(r *http.Request) (platformForm, error) {
	v := platformForm{city: httpx.City(r.Context()), p: exchange.Platform{Active: true, GapMinutes: 10, Kind: exchange.Hotline}}
	code := param(r, "platform")
	if code == newPlatform {
		return v, nil
	}
	list, err := w.Exchange.Platforms(r.Context(), by(r), v.city)
	if err != nil {
		return v, err
	}
	for _, h := range list {
		if h.Code == code {
			v.p = h.Platform
			return v, nil
		}
	}
	return v, fault.New(fault.NotFound, "not_found")
}

func (v platformForm) page() Page {
	return Page{Title: text.Msg("exchangepage.platform"), Nav: "platforms", Body: platformFormBody(v)}
}

func (w *Web) platformForm(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.platformOf(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

func (w *Web) savePlatform(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[exchange.PlatformInput](r)
	if err == nil {
		in.City = httpx.City(r.Context())
		if code := param(r, "platform"); code != newPlatform {
			in.Code = code
		}
		_, err = w.Exchange.SavePlatform(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.platformOf(r)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return v.page()
		})
	}
	return w.done(rw, r, platformsPath(in.City), text.Msg("exchangepage.saved"))
}

// dayQuery is the day that is looked at.
type dayQuery struct {
	Day    civil.Date   `form:"day"`
	Format sheet.Format `form:"format"`
}

type platformDayView struct {
	exchange.DayView
	city   int
	days   []exchange.Day
	manage bool
}

func (w *Web) platformDayOf(r *http.Request) (platformDayView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := platformDayView{city: city, manage: by(r).MayAny(actor.ExchangeManage, city)}
	q, err := httpx.Bind[dayQuery](r)
	if err != nil {
		return v, err
	}
	if q.Day.IsZero() {
		q.Day = w.o.Now().Date()
	}
	if v.DayView, err = w.Exchange.OnDay(ctx, by(r), city, param(r, "platform"), q.Day); err != nil {
		return v, err
	}
	v.days, err = w.Exchange.Days(ctx, by(r), city, param(r, "platform"))
	return v, err
}

// platformDay compares the lists of both sides for a day (对账).
func (w *Web) platformDay(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.platformDayOf(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("exchangepage.day"), Nav: "platforms", Body: platformDayBody(v)})
}

func (w *Web) dayExport(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.platformDayOf(r)
	if err != nil {
		return err
	}
	columns := []string{"exchangepage.no", "exchangepage.opened_by", "exchangepage.kind", "exchangepage.theirs", "exchangepage.ours", "exchangepage.state", "exchangepage.error"}
	return w.sendSheet(rw, r, "platform-"+v.Platform+"-"+v.Day.Day.String(), columns, func(out sheet.Writer) error {
		for _, d := range v.Differences {
			ctx := r.Context()
			if err := out.Row(d.No, ui.T(ctx, "exchange_side."+string(d.OpenedBy)), ui.T(ctx, "difference."+string(d.Kind)), lineWords(ctx, d.Theirs), lineWords(ctx, d.Ours),
				ui.T(ctx, "difference_state."+string(d.State)), d.Error); err != nil {
				return err
			}
		}
		return nil
	})
}

func dayPath(city int, platform string, day civil.Date) string {
	return platformsPath(city) + "/" + platform + "/days?day=" + day.String()
}

func (w *Web) compareDay(rw http.ResponseWriter, r *http.Request) error {
	city, code := httpx.City(r.Context()), param(r, "platform")
	in, err := httpx.Bind[dayQuery](r)
	if err != nil {
		return err
	}
	if _, err = w.Exchange.Look(r.Context(), by(r), city, code, in.Day); fault.Is(err, fault.Down) {
		f := fault.Of(err)
		w.setFlash(rw, text.Message{Key: f.Key, Params: f.Params}, true)
		return w.to(rw, r, dayPath(city, code, in.Day))
	}
	return w.after(rw, r, err, dayPath(city, code, in.Day), "exchangepage.compared")
}

func (w *Web) repairDay(rw http.ResponseWriter, r *http.Request) error {
	city, code := httpx.City(r.Context()), param(r, "platform")
	in, err := httpx.Bind[exchange.Repairing](r)
	if err == nil {
		in.City, in.Platform = city, code
		_, err = w.Exchange.Repair(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, dayPath(city, code, in.Day), "exchangepage.repairing")
}

// ticketsQuery is the address of the list.
type ticketsQuery struct {
	exchange.Filter
	Format sheet.Format `form:"format"`
}

type ticketsView struct {
	city      int
	query     exchange.Filter
	list      page.Of[exchange.Ticket]
	platforms []exchange.Health
	names     *caseNames
}

func (w *Web) ticketsPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[ticketsQuery](r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	v := ticketsView{city: httpx.City(ctx), query: q.Filter}
	if v.list, err = w.Exchange.List(ctx, by(r), v.city, q.Filter); err != nil {
		return err
	}
	if v.platforms, err = w.Exchange.Platforms(ctx, by(r), v.city); err != nil {
		return err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.tickets"), Nav: "tickets", Body: ticketsBody(v)})
}

// ticketsExport sends every ticket of the filter as a table.
func (w *Web) ticketsExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[ticketsQuery](r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	columns := []string{
		"exchangepage.platform", "exchangepage.no", "exchangepage.peer_no", "exchangepage.case", "exchangepage.opened_by", "exchangepage.status", "exchangepage.part",
		"exchangepage.seat", "exchangepage.what", "exchangepage.opened", "exchangepage.reply_by", "exchangepage.return_by",
	}
	platforms, err := w.Exchange.Platforms(ctx, by(r), httpx.City(ctx))
	if err != nil {
		return err
	}
	return w.sendSheet(rw, r, "tickets", columns, func(out sheet.Writer) error {
		return w.Exchange.Export(ctx, by(r), httpx.City(ctx), q.Filter, func(t exchange.Ticket) error {
			return out.Row(platformName(platforms, t.Platform), t.No, t.PeerNo, t.CaseNo, ui.T(ctx, "exchange_side."+string(t.OpenedBy)), ui.T(ctx, "exchange_status."+string(t.Status)),
				ui.T(ctx, "exchange_part."+string(t.Part)), t.Seat, t.Title, t.OpenedAt.Minute(), t.ReplyBy.Minute(), t.ReturnBy.Minute())
		})
	})
}

type ticketView struct {
	exchange.View
	city     int
	now      civil.Instant
	platform exchange.Platform
	own      []blob.Blob // attachments of the case, which may be sent along
	form     ui.Form
}

func (w *Web) ticketView(r *http.Request) (ticketView, error) {
	ctx := r.Context()
	v := ticketView{city: httpx.City(ctx), now: w.o.Now()}
	var err error
	if v.View, err = w.Exchange.Get(ctx, by(r), v.city, param(r, "ticket")); err != nil {
		return v, err
	}
	list, err := w.Exchange.Platforms(ctx, by(r), v.city)
	for _, h := range list {
		if h.Code == v.Platform {
			v.platform = h.Platform
		}
	}
	if err != nil || v.Case == "" || len(v.Allowed) == 0 {
		return v, err
	}
	c, err := w.Cases.View(ctx, by(r), v.city, v.Case)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		return v, nil
	}
	v.own = c.Photos
	return v, err
}

func (v ticketView) page() Page {
	return Page{Title: text.Msg("exchangepage.ticket", "no", v.No), Nav: "tickets", Body: ticketBody(v)}
}

func (w *Web) ticketPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.ticketView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

func ticketPath(city int, id string) string { return at("/c/{city}/tickets/", city) + id }

// sayTicket tells the other side something: a return, more time, an exclusion ….
func (w *Web) sayTicket(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[exchange.Saying](r)
	if err == nil {
		in.City, in.Ticket, in.Key = httpx.City(r.Context()), param(r, "ticket"), formKey(r)
		_, err = w.Exchange.Say(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.ticketView(r)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return v.page()
		})
	}
	return w.done(rw, r, ticketPath(in.City, in.Ticket), text.Msg("exchangepage.said", "event", ui.T(r.Context(), "exchange_event."+string(in.Event))))
}

func (w *Web) settleTicket(rw http.ResponseWriter, r *http.Request) error {
	city, id := httpx.City(r.Context()), param(r, "ticket")
	_, err := w.Exchange.Settle(r.Context(), by(r), city, id)
	return w.after(rw, r, err, ticketPath(city, id), "exchangepage.settled")
}

// handOver passes a case on to a platform.
func (w *Web) handOver(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[exchange.Handing](r)
	if err == nil {
		in.City, in.Case, in.Key = city, param(r, "case"), formKey(r)
		_, err = w.Exchange.HandOver(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, at("/c/{city}/cases/", city)+param(r, "case"), "exchangepage.handed")
}

// fillTickets puts a case's tickets on its page, and the platforms it may go to.
func (w *Web) fillTickets(r *http.Request, v *caseView) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	if w.Exchange == nil || !v.by.MayAny(actor.ExchangeRead, city) {
		return nil
	}
	var err error
	if v.tickets, err = w.Exchange.OfCase(ctx, v.by, city, v.Case.ID); err != nil {
		return err
	}
	if v.platforms, err = w.Exchange.Platforms(ctx, v.by, city); err != nil || !v.Case.Open || !v.may(actor.ExchangeSend) {
		return err
	}
	for _, h := range v.platforms {
		if h.Active {
			v.offers = append(v.offers, h.Platform)
		}
	}
	return nil
}

type hotlinesView struct {
	city  int
	query exchange.CallFilter
	watch exchange.Watch
	list  page.Of[exchange.CallRecord]
	names *caseNames
}

// hotlinesPage shows what the companies' own hotlines report, and what they leave out.
func (w *Web) hotlinesPage(rw http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := httpx.Bind[exchange.CallFilter](r)
	if err != nil {
		return err
	}
	v := hotlinesView{city: httpx.City(ctx), query: q}
	if v.watch, err = w.Exchange.Watching(ctx, by(r), v.city); err != nil {
		return err
	}
	if v.list, err = w.Exchange.CallList(ctx, by(r), v.city, q); err != nil {
		return err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.hotlines"), Nav: "hotlines", Body: hotlinesBody(v)})
}

func (w *Web) hotlinesExport(rw http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := httpx.Bind[struct {
		exchange.CallFilter
		Format sheet.Format `form:"format"`
	}](r)
	if err != nil {
		return err
	}
	f := q.CallFilter
	f.Request = page.Request{Size: page.MaxSize}
	columns := []string{"exchangepage.company", "exchangepage.company_no", "exchangepage.case", "exchangepage.told", "exchangepage.received", "exchangepage.late"}
	return w.sendSheet(rw, r, "hotline", columns, func(out sheet.Writer) error {
		for {
			list, err := w.Exchange.CallList(ctx, by(r), httpx.City(ctx), f)
			if err != nil {
				return err
			}
			for _, c := range list.Items {
				if err := out.Row(c.Company, c.No, c.CaseNo, c.ToldAt.Minute(), c.Received.Minute(), lateWord(ctx, c.Late)); err != nil {
					return err
				}
			}
			if f.After = list.Next; f.After == "" {
				return nil
			}
		}
	})
}
