package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
)

// answersFrom names the article of the program that a seat answers a question from, by topic.
var answersFrom = map[string]string{
	"start": "season_dates", "company": "attribution", "refund": "refund_procedure", "test": "ask_for_test", "stop": "suspend_heat",
	"pay": "pay_fee", "arrears": "pay_fee", "air": "air_lock", "valve": "paid_not_opened", "outage": "planned_stop",
	"progress": "first_contact_stays", "pressure": "altered_system", "standard": "touch_is_not_temperature",
}

// learn publishes what the program knows and the cards about names that are easily confused, and notes what seats answer from.
func (s *season) learn(ctx context.Context) error {
	if _, err := s.app.Knowledge.Plant(ctx, owner, sim.Code, true); err != nil {
		return fmt.Errorf("plant the articles: %w", err)
	}
	titles := map[string]string{}
	f := knowledge.Filter{State: knowledge.Published, Request: page.Request{Size: page.MaxSize}}
	have := map[string]bool{}
	for {
		list, err := s.app.Knowledge.List(ctx, owner, sim.Code, f)
		if err != nil {
			return fmt.Errorf("list the articles: %w", err)
		}
		for _, v := range list.Items {
			titles[v.TitleZH] = fmt.Sprintf("%s/%d", v.Article, v.No)
			have[v.TitleZH] = true
		}
		if f.After = list.Next; f.After == "" {
			break
		}
	}
	seeds, err := knowledge.Seeds()
	if err != nil {
		return err
	}
	for topic, code := range answersFrom {
		for _, seed := range seeds {
			if seed.Code == code {
				s.articles[topic] = titles[seed.TitleZH]
			}
		}
	}
	return s.borderCards(ctx, have)
}

// borderCards are written by the keeper of knowledge and approved by the section head.
func (s *season) borderCards(ctx context.Context, have map[string]bool) error {
	places := map[string][]string{}
	var order []string
	for _, m := range s.w.Communities {
		if !m.Has(sim.SameName) && !m.Has(sim.GenericName) {
			continue
		}
		if places[m.Name] == nil {
			order = append(order, m.Name)
		}
		company := s.w.Companies[s.w.Seasons[1].Areas[m.Area].Company].Short
		places[m.Name] = append(places[m.Name], s.w.Districts[m.District].Name+m.Name+"（"+m.Address+"，"+company+"）")
	}
	for _, name := range order {
		if !have[name] {
			if err := s.borderCard(ctx, name, places[name]); err != nil {
				return fmt.Errorf("card about %s: %w", name, err)
			}
		}
	}
	return nil
}

func (s *season) borderCard(ctx context.Context, name string, places []string) error {
	where := strings.Join(places, "、")
	in := knowledge.DraftInput{City: sim.Code, Kind: knowledge.Border, Texts: knowledge.Texts{
		TitleZH: name, TitleEN: name, AnswerZH: strings.ReplaceAll(s.w.Say("border_answer", name), "{names}", where), AnswerEN: where,
		HintZH: s.w.Say("border_hint", name), HintEN: where, Source: s.w.Seasons[1].Source, Words: name, MustRead: []actor.Role{actor.RoleSeat},
	}}
	v, err := s.app.Knowledge.Write(ctx, s.crew.by[actor.RoleKnowledge][0], in)
	if err != nil {
		return err
	}
	move := knowledge.MoveInput{City: sim.Code, Article: v.Article, No: v.No, Version: v.Version, Event: knowledge.Submit}
	if v, err = s.app.Knowledge.Move(ctx, s.crew.by[actor.RoleKnowledge][0], move); err != nil {
		return err
	}
	move.Version, move.Event = v.Version, knowledge.Approve
	_, err = s.app.Knowledge.Move(ctx, s.crew.by[actor.RoleSectionHead][0], move)
	return err
}
