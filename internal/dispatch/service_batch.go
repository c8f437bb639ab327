package dispatch

import (
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
)

// mostAtOnce is how many cases one batch takes.
const mostAtOnce = 200

// Batch is one act on many cases (批量签收、派遣、催办、答复).
type Batch struct {
	City    int      `json:"-" form:"-"`
	Do      string   `json:"do" form:"do"` // sign, dispatch, remind, answer
	IDs     []string `json:"ids" form:"ids"`
	Company string   `json:"company" form:"company"`
	Reason  string   `json:"reason" form:"reason"`
	Answer  string   `json:"answer" form:"answer"`   // to each resident
	Article string   `json:"article" form:"article"` // article and version that the answer stands on
	Key     string   `json:"-" form:"key"`
}

// Outcome is what became of one case of a batch.
type Outcome struct {
	ID   string      `json:"id"`
	Case *cases.Case `json:"case,omitempty"`
	Err  error       `json:"-"`
}

// Batch does one act on many cases, each in a transaction of its own: one that cannot be done does not hold up the rest.
func (s *Service) Batch(ctx context.Context, by actor.Actor, in Batch) ([]Outcome, error) {
	var check fault.Check
	check.That(len(in.IDs) > 0, "ids", "field.required")
	check.That(len(in.IDs) <= mostAtOnce, "ids", "field.out_of_range", "min", 1, "max", mostAtOnce)
	acts := []string{"sign", "dispatch", "remind", "answer"}
	check.That(slices.Contains(acts, in.Do), "do", "field.not_one_of", "allowed", acts)
	check.That(in.Do != "answer" || strings.TrimSpace(in.Answer) != "", "answer", "field.required")
	if err := check.Err(); err != nil {
		return nil, err
	}
	out := make([]Outcome, len(in.IDs))
	for i, id := range in.IDs {
		act := cases.Act{City: in.City, ID: id, Reason: in.Reason}
		if in.Key != "" {
			act.Key = in.Key + ":" + id
		}
		c, err := s.one(ctx, by, in, act)
		out[i] = Outcome{ID: id, Err: err}
		if err == nil {
			out[i].Case = &c
		} else if fault.KindOf(err) == fault.Internal {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) one(ctx context.Context, by actor.Actor, in Batch, act cases.Act) (cases.Case, error) {
	switch in.Do {
	case "sign":
		return s.Sign(ctx, by, Signing{Act: act})
	case "dispatch":
		return s.Dispatch(ctx, by, Sending{Act: act, Company: in.Company})
	case "answer":
		return s.o.Cases.AnswerDirect(ctx, by, cases.Answering{Act: act, Answer: in.Answer, Article: in.Article})
	}
	return s.o.Cases.Remind(ctx, by, cases.Reminder{Act: act, Channel: cases.Phone, Text: in.Reason})
}
