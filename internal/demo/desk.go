package demo

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/sim"
)

// firstDay is the day on which heat begins.
var firstDay = civil.NewDate(2025, 11, 15)

// office plans what the centre does by itself: its rounds three times a day, and the short form of intake on the first days.
func (s *season) office(from civil.Instant) {
	for n := range 3 {
		for _, on := range []bool{true, false} {
			at := civil.On(firstDay.AddDays(n), 7, 30)
			if !on {
				at = civil.On(firstDay.AddDays(n), 22, 30)
			}
			if !at.Before(from) {
				s.later(at, func(ctx context.Context) error { return s.peak(ctx, on) })
			}
		}
	}
	s.later(civil.On(from.Date(), rounds[0], 10), s.round)
}

// rounds are the hours of the desk's rounds.
var rounds = []int{9, 14, 19}

// round decides what waits, supervises what takes long, and plans the next round.
func (s *season) round(ctx context.Context) error {
	next := civil.On(s.now.Date().AddDays(1), rounds[0], 10)
	for _, h := range slices.Backward(rounds) {
		if at := civil.On(s.now.Date(), h, 10); at.After(s.now) {
			next = at
		}
	}
	s.later(next, s.round)
	s.open = slices.DeleteFunc(s.open, func(f *file) bool { return !f.c.Open })
	waiting, err := s.app.Dispatch.Waiting(ctx, s.crew.by[actor.RoleSectionHead][0], sim.Code, "")
	if err != nil {
		return fmt.Errorf("read what waits: %w", err)
	}
	for _, w := range waiting {
		if err := s.refuse(ctx, s.decide(ctx, w)); err != nil {
			return err
		}
	}
	return s.pressOn(ctx)
}

// decide answers one request, some days after it was asked where it is a hard one.
func (s *season) decide(ctx context.Context, w dispatch.Waiting) error {
	age := s.now.Sub(w.AskedAt)
	key := cases.Act{City: sim.Code, ID: w.Case, Key: "demo/" + w.ID + "/" + string(w.State)}
	in := dispatch.Decision{Act: key, Request: w.ID, Grant: true}
	by := s.crew.by[actor.RoleSectionHead][0]
	draw := len(w.Reason) + int(w.AskedAt/1000)
	var err error
	switch {
	case w.Kind == dispatch.Supervision && w.State == dispatch.Open && age > 3*hour:
		key.Reason = s.w.Say("supervision_reply", w.ID)
		_, err = s.app.Dispatch.Reply(ctx, s.crew.company[w.Company][actor.RoleCompany][0], dispatch.Replying{Act: key, Request: w.ID})
	case w.Kind == dispatch.Supervision && w.State == dispatch.Replied && !w.File.Open:
		_, err = s.app.Dispatch.Decide(ctx, s.crew.by[actor.RoleSupervisor][0], in)
	case w.Kind == dispatch.AskExtension && w.State == dispatch.Open && age > 2*hour:
		_, err = s.app.Dispatch.Decide(ctx, s.crew.by[actor.RoleLeader][0], in)
	case w.Kind == dispatch.AskDispute && age > 60*hour:
		in.Reason = s.w.Say("dispute_decided", w.ID)
		_, err = s.app.Dispatch.Decide(ctx, by, in)
	case w.Kind == dispatch.AskAppeal && age > 20*hour:
		in.Grant, in.Reason = draw%3 == 0, s.w.Say("appeal_granted", w.ID)
		if !in.Grant {
			in.Reason = s.w.Say("appeal_refused", w.ID)
		}
		_, err = s.app.Dispatch.Decide(ctx, s.crew.by[actor.RoleSupervisor][0], in)
	}
	return err
}

// grant decides on an extension soon after it was asked for.
func (s *season) grant(ctx context.Context, f *file) error {
	v, err := s.app.Dispatch.Of(ctx, owner, sim.Code, f.c.ID)
	if err != nil {
		return fmt.Errorf("read the requests of %s: %w", f.c.No, err)
	}
	for _, r := range v.Requests {
		if r.Kind != dispatch.AskExtension || r.State != dispatch.Open {
			continue
		}
		by := s.of(f, actor.RoleLeader)
		if f.c.Extensions > 0 {
			by = s.crew.by[actor.RoleSectionHead][0]
		}
		in := dispatch.Decision{Act: cases.Act{City: sim.Code, ID: f.c.ID, Key: "demo/" + r.ID}, Request: r.ID, Grant: s.w.Centre(f.call, f.round).Draw < 820}
		if !in.Grant {
			in.Reason = s.w.Say("extend_refused", f.call.Key)
		}
		c, err := s.app.Dispatch.Decide(ctx, by, in)
		if err == nil {
			f.c = c
		}
		return s.refuse(ctx, err)
	}
	return nil
}

// pressOn: the leader has the slowest case supervised; a company disputes who owns a pipe, and appeals against a mark.
func (s *season) pressOn(ctx context.Context) error {
	did := map[string]bool{}
	for _, f := range s.open {
		draw := s.w.Centre(f.call, f.round).Draw
		age := s.now.Sub(f.c.ReceivedAt)
		what, err := "", error(nil)
		switch {
		case !f.c.Status.WithUnit():
		case age > 30*hour && draw%5 == 0 && !did["supervise"] && !f.mark("supervise"):
			in := dispatch.Ordering{Act: s.act(f, "supervise"), ReplyBy: s.now.Add(24 * hour)}
			in.Reason = s.w.Say("supervise", f.call.Key)
			what = "supervise"
			_, err = s.app.Dispatch.Supervise(ctx, s.of(f, actor.RoleLeader), in)
		case f.act.Segment == "developer" && f.c.Status == cases.Handling && draw%3 == 0 && !did["dispute"] && !f.mark("dispute"):
			in := dispatch.Disputing{Act: s.act(f, "dispute"), Party: s.w.Community(f.call.Household).Developer}
			in.Reason = s.w.Say("dispute", f.call.Key)
			what = "dispute"
			_, err = s.app.Dispatch.Dispute(ctx, s.unit(f, actor.RoleCompany), in)
		case f.c.Reworks > 0 && draw%4 == 0 && !did["appeal"] && !f.mark("appeal"):
			in := dispatch.Appealing{Act: s.act(f, "appeal"), Ref: "rework"}
			in.Reason = s.w.Say("appeal", f.call.Key)
			what = "appeal"
			_, err = s.app.Dispatch.Appeal(ctx, s.unit(f, actor.RoleCompany), in)
		}
		if what != "" {
			did[what] = err == nil
		}
		if err := s.refuse(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

// gather notes that a case belongs to a shared fault; the third report has a dispatcher link those that no seat linked.
func (s *season) gather(f *file) {
	n := f.call.Shared
	if n < 0 {
		return
	}
	s.shared[n] = append(s.shared[n], f)
	if len(s.shared[n]) != 3 {
		return
	}
	s.later(s.now.Add(9*time.Minute), func(ctx context.Context) error {
		first := s.shared[n][0]
		in := cases.Linking{Act: s.act(first, "link"), Kind: cases.Related}
		in.Reason = s.w.Say("link", first.call.Key)
		for _, other := range s.shared[n][1:] {
			in.Others = append(in.Others, other.c.ID)
		}
		_, err := s.app.Cases.LinkCases(ctx, s.of(first, actor.RoleDispatcher), in)
		return s.refuse(ctx, err)
	})
}

func (s *season) peak(ctx context.Context, on bool) error {
	reason := s.w.Say("peak_on", "")
	if !on {
		reason = s.w.Say("peak_off", "")
	}
	_, err := s.app.Rules.SetPeak(ctx, s.crew.by[actor.RoleLeader][0], citypack.PeakInput{City: sim.Code, On: on, Reason: reason})
	return s.refuse(ctx, err)
}

// photo is the closed door of a home where nobody was in.
func (s *season) photo(ctx context.Context, f *file) ([]blob.Stored, error) {
	img := image.NewRGBA(image.Rect(0, 0, 240, 320))
	shade := uint8(60 + len(f.call.Text)%80)
	for y := range 320 {
		for x := range 240 {
			c := color.RGBA{shade + uint8(x/8), shade, shade / 2, 255}
			if x < 30 || x > 210 || y < 20 {
				c = color.RGBA{190, 186, 178, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		return nil, fmt.Errorf("draw a door: %w", err)
	}
	kept, err := s.app.Blobs.Keep(ctx, blob.Upload{City: sim.Code, Subject: f.c.Subject(), Purpose: blob.Photo, Name: "door.jpg", Reader: &b})
	if err != nil {
		return nil, fmt.Errorf("keep a photo: %w", err)
	}
	return []blob.Stored{kept}, nil
}
