package wechat

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/resident"
)

// mostOpen is how many messages of one template a resident can allow in advance.
const mostOpen = 20

// ConsentInput says which subscription messages a resident of the mini program has just allowed. Tap names the tap: sent
// again it counts once.
type ConsentInput struct {
	City      int      `json:"-"`
	Tap       string   `json:"tap"`
	Templates []string `json:"templates"`
}

// Check collects what is wrong with the input.
func (in ConsentInput) Check() error {
	var c fault.Check
	c.That(in.Tap != "" && len(in.Tap) <= 64, "tap", "field.required")
	c.That(len(in.Templates) > 0 && len(in.Templates) <= 3, "templates", "wechat.templates")
	return c.Err()
}

// Allowed counts the messages that are open for each template after an act.
type Allowed struct {
	Template string `json:"template"`
	Open     int    `json:"open"`
}

// Consent counts a resident's leave for one message of each template.
func (s *Service) Consent(ctx context.Context, by actor.Actor, in ConsentInput) ([]Allowed, error) {
	person, ok := resident.PersonOf(by)
	if !ok {
		return nil, fault.New(fault.Denied, "resident.enter_first")
	}
	if err := in.Check(); err != nil {
		return nil, err
	}
	a, err := s.mini(ctx, in.City)
	if err != nil {
		return nil, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) ([]Allowed, error) {
		users, err := usersOf(ctx, tx, in.City, person)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(users, func(u user) bool { return u.AppID == a.ID })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "wechat.not_bound")
		}
		var out []Allowed
		for _, t := range in.Templates {
			if !a.has(t) {
				continue
			}
			n, err := s.allow(ctx, tx, users[i], t, in.Tap)
			if err != nil {
				return nil, err
			}
			out = append(out, Allowed{t, n})
		}
		return out, nil
	})
}

// has reports whether a template is one of the account's.
func (a *Account) has(id string) bool {
	for _, t := range a.Templates {
		if t.ID == id {
			return true
		}
	}
	return false
}

// Asked lists the templates that the mini program asks leave for, by the occasion (the key of the text).
func (s *Service) Asked(ctx context.Context, city int) (map[string]string, error) {
	a, err := s.mini(ctx, city)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(a.Templates))
	for key, t := range a.Templates {
		out[key] = t.ID
	}
	return out, nil
}

// allow adds a consent, once for each tap, and counts those that are open.
func (s *Service) allow(ctx context.Context, tx *db.Tx, u user, template, tap string) (int, error) {
	c := consent{City: u.City, ID: tx.NewID(), User: u.ID, Template: template, Tap: tap, Given: tx.Now}
	known, err := tapped(ctx, tx, c)
	if err != nil {
		return 0, err
	}
	open, err := openConsents(ctx, tx, u.City, u.ID, template)
	if err != nil || known || len(open) >= mostOpen {
		return len(open), err
	}
	err = db.Insert(ctx, tx, "wechat_consent", c)
	if db.IsUnique(err) {
		return len(open), db.ErrRetry
	}
	return len(open) + 1, err
}

// heardConsents keeps what a push says about subscription messages: a refusal ends every open consent; a yes in a window of
// the official account counts, one in the mini program was counted there.
func (s *Service) heardConsents(ctx context.Context, tx *db.Tx, a *Account, u user, in Inbound) error {
	for _, w := range in.Allowances {
		if !a.has(w.Template) {
			continue
		}
		switch {
		case !w.Accepted && !w.Popup:
			if err := dropConsents(ctx, tx, u.City, u.ID, w.Template); err != nil {
				return err
			}
		case w.Accepted && a.App == Official:
			if _, err := s.allow(ctx, tx, u, w.Template, in.Key[max(0, len(in.Key)-64):]); err != nil {
				return err
			}
		}
	}
	return nil
}
