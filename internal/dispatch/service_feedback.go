package dispatch

import (
	"context"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
)

// Feedback is the input of FeedBack: the form of the category, as the pack writes it.
type Feedback struct {
	cases.Act
	Form   map[string]string `json:"form" form:"-"`
	Device Device            `json:"device,omitzero" form:"device"`
	Beside bool              `json:"beside,omitempty" form:"beside"` // somebody was first: keep this one next to theirs
	Photos []blob.Stored     `json:"-" form:"-"`
}

// FeedBack says that the unit is done, in the form of the category (反馈).
func (s *Service) FeedBack(ctx context.Context, by actor.Actor, in Feedback) (cases.Case, error) {
	for k, v := range in.Form {
		if v = strings.TrimSpace(v); v == "" {
			delete(in.Form, k)
			continue
		}
		in.Form[k] = v
	}
	if err := in.Device.Check(); err != nil {
		return cases.Case{}, err
	}
	if in.Beside {
		return s.beside(ctx, by, in)
	}
	body := in.Device.into(map[string]any{"solved": in.Form["solved"], "cause": in.Form["cause"], "temp_before": in.Form["temp_before"], "temp_after": in.Form["temp_after"]})
	return s.do(ctx, by, change{
		act: in.Act, event: cases.FeedBack, body: body, public: true,
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			if err := s.unseen(ctx, tx, by, in.Act); err != nil {
				return err
			}
			cat, _ := r.Pack.Category(c.Category)
			if err := CheckForm(r.Pack.FeedbackForm(cat), in.Form, len(in.Photos)); err != nil {
				return err
			}
			if err := s.photos(ctx, tx, by, *c, in.Photos); err != nil {
				return err
			}
			if _, err := cases.AddDeed(ctx, tx, deed(*c, *d, by, cases.DeedFeedback, in.Form["solved"], tx.Now), in); err != nil {
				return err
			}
			c.FedBackAt, d.FedBackAt = tx.Now, tx.Now
			if a := in.Form["answer"]; a != "" {
				c.Answer = a
			}
			came, err := cameAt(in.Form["arrived_at"], *d, tx.Now)
			if err != nil {
				return err
			}
			if d.ArrivedAt.IsZero() && !came.IsZero() {
				d.ArrivedAt, c.ArrivedAt = came, came
			}
			plan.Happened = append(plan.Happened, in.happened(r, tx.Now, came)...)
			return nil
		},
	}, in)
}

// cameAt is when the unit says it came; nothing when it does not say.
func cameAt(said string, d Dispatch, now civil.Instant) (civil.Instant, error) {
	if said == "" {
		return 0, nil
	}
	at, err := civil.ParseInstant(said)
	if err != nil {
		return 0, err
	}
	return happened(at, d.ToldAt, now)
}

// happened lists what the form says happened, as far as clocks depend on it.
func (in Feedback) happened(r *citypack.Rules, now, came civil.Instant) []clock.Happened {
	var out []clock.Happened
	add := func(e citypack.Event, at civil.Instant) { out = append(out, clock.Happened{Event: e, At: at}) }
	if !came.IsZero() {
		add(citypack.EventContacted, came)
		add(citypack.EventArrived, came)
	}
	if in.Form["temp_before"] != "" || in.Form["temp_after"] != "" {
		at := came
		if at.IsZero() {
			at = now
		}
		add(citypack.EventMeasured, at)
	}
	add(citypack.EventFedBack, now)
	if in.Form["answer"] != "" {
		add(citypack.EventAnswered, now)
	}
	if in.Form["temp_after"] != "" {
		add(citypack.EventRetested, now)
	} else if in.Form["solved"] == "yes" && below(r, in.Form["temp_before"], now) {
		add(citypack.EventCured, now)
	}
	return out
}

// below reports whether a reading is under the city's standard.
func below(r *citypack.Rules, reading string, now civil.Instant) bool {
	std, ok := r.Pack.Standard("bedroom", now)
	t, err := celsius.Parse(reading)
	return ok && err == nil && t < std.Value
}
