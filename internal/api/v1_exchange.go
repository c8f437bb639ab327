package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
)

// queued asks for what waits.
type queued struct {
	Platform string                `form:"platform"`
	State    exchange.MessageState `form:"state"`
}

// again is how many things go again.
type again struct {
	Count int64 `json:"count"`
}

// repairs names a ticket that the lists of a day differ on.
type repairs struct {
	OpenedBy exchange.Side `json:"opened_by"`
	Ticket   string        `json:"ticket"`
}

// exchangeOperations are the tickets of 12345 and other platforms, for staff's own programs; the platforms themselves use
// the signed contract.
func (v *v1) exchangeOperations() {
	if v.Exchange == nil {
		return
	}
	read, send, manage := []actor.Permission{actor.ExchangeRead}, []actor.Permission{actor.ExchangeSend}, []actor.Permission{actor.ExchangeManage}
	const at, one = "/cities/{city}/tickets", "/cities/{city}/tickets/{ticket}"
	ask(v, Operation{Name: "list_tickets", Method: http.MethodGet, Path: at, Permissions: read, tag: "exchange"},
		func(ctx context.Context, c caller, f exchange.Filter) (page.Of[exchange.Ticket], error) {
			return full(v.Exchange.List(ctx, c.by, c.city, f))
		})
	v.exportTickets(Operation{Name: "export_tickets", Method: http.MethodGet, Path: at + "/export", Permissions: read, tag: "exchange"})
	ask(v, Operation{Name: "show_ticket", Method: http.MethodGet, Path: one, Permissions: read, tag: "exchange"},
		func(ctx context.Context, c caller, _ none) (exchange.View, error) {
			t, err := v.Exchange.Get(ctx, c.by, c.city, c.param("ticket"))
			t.Messages, t.Requests, t.Files = whole(t.Messages).Items, whole(t.Requests).Items, whole(t.Files).Items
			return t, err
		})
	act(v, Operation{Name: "say_on_ticket", Method: http.MethodPost, Path: one + "/say", Permissions: send, tag: "exchange"},
		func(ctx context.Context, c caller, in exchange.Saying) (exchange.Ticket, error) {
			in.City, in.Ticket, in.Key = c.city, c.param("ticket"), c.key()
			return v.Exchange.Say(ctx, c.by, in)
		})
	act(v, Operation{Name: "settle_ticket", Method: http.MethodPost, Path: one + "/settle", Permissions: send, tag: "exchange"},
		func(ctx context.Context, c caller, _ none) (exchange.Ticket, error) {
			return v.Exchange.Settle(ctx, c.by, c.city, c.param("ticket"))
		})
	act(v, Operation{Name: "refetch_ticket_file", Method: http.MethodPost, Path: one + "/files/{file}", Permissions: send, tag: "exchange"},
		func(ctx context.Context, c caller, in exchange.Refetching) (exchange.File, error) {
			in.City, in.File = c.city, c.param("file")
			return v.Exchange.Refetch(ctx, c.by, in)
		})
	act(v, Operation{Name: "hand_over_case", Method: http.MethodPost, Path: at, Permissions: send, tag: "exchange", status: http.StatusCreated},
		func(ctx context.Context, c caller, in exchange.Handing) (exchange.Ticket, error) {
			found, err := v.Cases.ByNo(ctx, c.by, c.city, in.Case)
			if err != nil {
				return exchange.Ticket{}, err
			}
			in.City, in.Case, in.Key = c.city, found.ID, c.key()
			return v.Exchange.HandOver(ctx, c.by, in)
		})
	v.platformOperations(read, manage)
}

func (v *v1) platformOperations(read, manage []actor.Permission) {
	const at, one, day = "/cities/{city}/platforms", "/cities/{city}/platforms/{platform}", "/cities/{city}/platforms/{platform}/days/{day}"
	ask(v, Operation{Name: "list_platforms", Method: http.MethodGet, Path: at, Permissions: read, tag: "exchange"},
		func(ctx context.Context, c caller, _ none) (page.Of[exchange.Health], error) {
			list, err := v.Exchange.Platforms(ctx, c.by, c.city)
			return whole(list), err
		})
	act(v, Operation{Name: "save_platform", Method: http.MethodPost, Path: one, Permissions: []actor.Permission{actor.KeyManage}, tag: "exchange"},
		func(ctx context.Context, c caller, in exchange.PlatformInput) (exchange.Platform, error) {
			in.City, in.Code = c.city, c.param("platform")
			return v.Exchange.SavePlatform(ctx, c.by, in)
		})
	act(v, Operation{Name: "replay_platform", Method: http.MethodPost, Path: one + "/replay", Permissions: manage, tag: "exchange"},
		func(ctx context.Context, c caller, _ none) (again, error) {
			n, err := v.Exchange.ReplayAll(ctx, c.by, c.city, c.param("platform"))
			return again{n}, err
		})
	ask(v, Operation{Name: "list_platform_messages", Method: http.MethodGet, Path: "/cities/{city}/platform_messages", Permissions: read, tag: "exchange"},
		func(ctx context.Context, c caller, q queued) (page.Of[exchange.Waiting], error) {
			list, err := v.Exchange.Queue(ctx, c.by, c.city, q.Platform, q.State)
			return whole(list), err
		})
	decide := func(do func(ctx context.Context, by actor.Actor, in exchange.Deciding) (exchange.Entry, error)) func(context.Context, caller, exchange.Deciding) (exchange.Entry, error) {
		return func(ctx context.Context, c caller, in exchange.Deciding) (exchange.Entry, error) {
			in.City, in.Message = c.city, c.param("message")
			return do(ctx, c.by, in)
		}
	}
	const message = "/cities/{city}/platform_messages/{message}"
	act(v, Operation{Name: "replay_platform_message", Method: http.MethodPost, Path: message + "/replay", Permissions: manage, tag: "exchange"}, decide(v.Exchange.Replay))
	act(v, Operation{Name: "drop_platform_message", Method: http.MethodPost, Path: message + "/drop", Permissions: manage, tag: "exchange"}, decide(v.Exchange.Drop))
	ask(v, Operation{Name: "list_platform_days", Method: http.MethodGet, Path: one + "/days", Permissions: read, tag: "exchange"},
		func(ctx context.Context, c caller, _ none) (page.Of[exchange.Day], error) {
			list, err := v.Exchange.Days(ctx, c.by, c.city, c.param("platform"))
			return whole(list), err
		})
	ask(v, Operation{Name: "show_platform_day", Method: http.MethodGet, Path: day, Permissions: read, tag: "exchange"},
		func(ctx context.Context, c caller, _ none) (exchange.DayView, error) {
			d, err := dayParam(c)
			if err != nil {
				return exchange.DayView{}, err
			}
			return v.Exchange.OnDay(ctx, c.by, c.city, c.param("platform"), d)
		})
	act(v, Operation{Name: "compare_platform_day", Method: http.MethodPost, Path: day + "/compare", Permissions: manage, tag: "exchange"},
		func(ctx context.Context, c caller, _ none) (exchange.DayView, error) {
			d, err := dayParam(c)
			if err != nil {
				return exchange.DayView{}, err
			}
			return v.Exchange.Look(ctx, c.by, c.city, c.param("platform"), d)
		})
	act(v, Operation{Name: "repair_platform_day", Method: http.MethodPost, Path: day + "/repair", Permissions: manage, tag: "exchange"},
		func(ctx context.Context, c caller, in repairs) (exchange.Difference, error) {
			d, err := dayParam(c)
			if err != nil {
				return exchange.Difference{}, err
			}
			return v.Exchange.Repair(ctx, c.by, exchange.Repairing{City: c.city, Platform: c.param("platform"), Day: d, OpenedBy: in.OpenedBy, No: in.Ticket})
		})
}

// dayParam is the day of the address.
func dayParam(c caller) (civil.Date, error) {
	d, err := civil.ParseDate(c.param("day"))
	if err != nil {
		return d, fault.New(fault.NotFound, "not_found")
	}
	return d, nil
}

// exportTickets streams every ticket of a filter as JSON Lines: all of them, without a cap.
func (v *v1) exportTickets(o Operation) {
	doc := huma.Operation{Parameters: v.about.parameters(typeOf[exchange.Filter]())}
	v.about.answer(&doc, typeOf[exchange.Ticket](), http.StatusOK)
	doc.Responses["200"].Content = map[string]*huma.MediaType{"application/jsonl": {Schema: v.about.all.Schema(typeOf[exchange.Ticket](), true, "")}}
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		f, err := httpx.Bind[exchange.Filter](c.r)
		if err != nil {
			return err
		}
		file := &begun{w: w}
		to := json.NewEncoder(file)
		if err := v.Exchange.Export(c.r.Context(), c.by, c.city, f, func(one exchange.Ticket) error { return to.Encode(one) }); err != nil {
			if file.yes {
				v.brokenOff(c, err)
			}
			return err
		}
		_, err = file.Write(nil) // a list of nothing is a file too
		return err
	})
}
