package notice

import (
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// WordingInput is a city's own words for a message.
type WordingInput struct {
	City     int       `json:"city" form:"city"`
	Template string    `json:"template" form:"template"`
	Lang     text.Lang `json:"lang" form:"language"`
	Text     string    `json:"text" form:"text"`
	Code     string    `json:"code,omitempty" form:"code"`
}

// WordingDecision approves or refuses an edition as it was seen.
type WordingDecision struct {
	City    int    `json:"city" form:"city"`
	ID      string `json:"id" form:"id"`
	Version int64  `json:"version" form:"version"`
	Approve bool   `json:"approve" form:"approve"`
	Reason  string `json:"reason,omitempty" form:"reason"`
}

// Wordings lists every message with the city's own words.
func (s *Service) Wordings(ctx context.Context, by actor.Actor, city int) ([]Wording, error) {
	if err := by.May(actor.NoticeWrite, actor.On{City: city}); err != nil {
		return nil, err
	}
	own, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Template, error) { return liveTemplates(ctx, tx, city) })
	if err != nil {
		return nil, err
	}
	var out []Wording
	for _, key := range Templates() {
		for _, l := range []text.Lang{text.ZH, text.EN} {
			standard := text.Say(l, key, nil)
			w := Wording{Template: key, Lang: l, Standard: standard, Variables: text.Variables(standard)}
			for _, t := range own {
				if t.Template != key || t.Lang != l {
					continue
				}
				if t.State == Approved {
					w.Current = &t
				} else {
					w.Draft = &t
				}
			}
			out = append(out, w)
		}
	}
	return out, nil
}

// Word writes a city's own words for a message. They are sent once a second person approved them; a draft that waits is
// replaced.
func (s *Service) Word(ctx context.Context, by actor.Actor, in WordingInput) (Template, error) {
	if err := by.May(actor.NoticeWrite, actor.On{City: in.City}); err != nil {
		return Template{}, err
	}
	in.Text, in.Code = strings.TrimSpace(in.Text), strings.TrimSpace(in.Code)
	var c fault.Check
	c.That(in.Lang == text.ZH || in.Lang == text.EN, "lang", "field.not_one_of", "allowed", "zh, en")
	if c.That(slices.Contains(Templates(), in.Template), "template", "notice.template.unknown"); c.Err() == nil {
		checkWording(&c, in.Template, in.Lang, in.Text)
	}
	c.That(len(in.Code) <= 64, "code", "field.too_long", "max", 64)
	if err := c.Err(); err != nil {
		return Template{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Template, error) {
		t := Template{
			City: in.City, ID: tx.NewID(), Template: in.Template, Lang: in.Lang, Text: in.Text, Code: in.Code,
			State: Draft, WrittenBy: by.ID, WrittenAt: tx.Now, Version: 1,
		}
		var err error
		if t.Edition, err = nextEdition(ctx, tx, t); err != nil {
			return t, err
		}
		if err := supersedeDrafts(ctx, tx, t); err != nil {
			return t, err
		}
		if err := insertTemplate(ctx, tx, t); err != nil {
			return t, err
		}
		return t, audit.Record(ctx, tx, by, t.City, audit.Act{Subject: t.subject(), Act: "notice.template.draft", Body: t.facts()})
	})
}

// DecideWording lets an edition be sent from now on, or not. Who wrote it does not decide about it.
func (s *Service) DecideWording(ctx context.Context, by actor.Actor, in WordingDecision) (Template, error) {
	if err := by.May(actor.NoticeApprove, actor.On{City: in.City}); err != nil {
		return Template{}, err
	}
	in.Reason = strings.TrimSpace(in.Reason)
	var c fault.Check
	c.That(in.Approve || in.Reason != "", "reason", "field.required")
	c.That(len([]rune(in.Reason)) <= 300, "reason", "field.too_long", "max", 300)
	if err := c.Err(); err != nil {
		return Template{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Template, error) {
		t, err := findTemplate(ctx, tx, in.City, in.ID)
		switch {
		case err != nil:
			return t, err
		case t.State != Draft:
			return t, fault.New(fault.Conflict, "notice.template.decided")
		case t.WrittenBy == by.ID:
			return t, fault.New(fault.Denied, "notice.template.own")
		}
		state := Refused
		if in.Approve {
			state = Approved
			if err := supersedeApproved(ctx, tx, t); err != nil {
				return t, err
			}
		}
		t.State, t.Reason, t.DecidedBy, t.DecidedAt = state, in.Reason, by.ID, tx.Now
		if t, err = decideTemplate(ctx, tx, t, in.Version); err != nil {
			return t, err
		}
		return t, audit.Record(ctx, tx, by, t.City, audit.Act{Subject: t.subject(), Act: "notice.template." + string(state), Body: t.facts()})
	})
}

func (t Template) subject() string { return "notice_template:" + t.Template + "/" + string(t.Lang) }

func (t Template) facts() map[string]any {
	return map[string]any{"edition": t.Edition, "text": t.Text, "code": t.Code, "reason": t.Reason}
}
