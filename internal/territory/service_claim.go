package territory

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
)

func noteRound(ctx context.Context, tx *db.Tx, by actor.Actor, r Round, act string, body map[string]any) error {
	return audit.Record(ctx, tx, by, r.City, audit.Act{Subject: "claim_round:" + r.ID, Act: act, Body: body})
}

// OpenRound starts the claiming of a season: a line for each community with who serves it now. Cut short, it goes on when
// it is called again for the season.
func (s *Service) OpenRound(ctx context.Context, by actor.Actor, in RoundInput) (Round, error) {
	if err := by.May(actor.TerritoryDecide, actor.On{City: in.City}); err != nil {
		return Round{}, err
	}
	if err := in.check(s.db.Now()); err != nil {
		return Round{}, err
	}
	r, err := s.prepareRound(ctx, by, in)
	if err != nil {
		return Round{}, err
	}
	x, err := s.cache.index(ctx, nil, in.City, s.db.Now().Date())
	if err != nil {
		return Round{}, err
	}
	places, err := db.Read(ctx, s.db, func(tx *db.Tx) ([]place.Community, error) { return place.CommunitiesIn(ctx, tx, in.City) })
	if err != nil {
		return Round{}, err
	}
	for len(places) > 0 {
		n := min(len(places), mostClaims)
		if err := db.Do(ctx, s.db, func(tx *db.Tx) error { return insertLines(ctx, tx, r, x, places[:n]) }); err != nil {
			return Round{}, fmt.Errorf("lines of a claim round: %w", err)
		}
		places = places[n:]
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (Round, error) {
		r.State = RoundOpen
		if err := setRound(ctx, tx, r); err != nil {
			return Round{}, err
		}
		if err := noteRound(ctx, tx, by, r, "territory.round_open", map[string]any{"season": r.Season, "deadline": r.Deadline, "base": r.Base}); err != nil {
			return Round{}, err
		}
		return findRound(ctx, tx, r.City, r.ID)
	})
}

func (s *Service) prepareRound(ctx context.Context, by actor.Actor, in RoundInput) (Round, error) {
	return db.Write(ctx, s.db, func(tx *db.Tx) (Round, error) {
		have, known, err := roundOf(ctx, tx, in.City, in.Season)
		if err != nil {
			return Round{}, err
		}
		if known && have.State != RoundPreparing {
			return Round{}, fault.New(fault.Conflict, "territory.round_exists", "season", in.Season)
		}
		if known {
			return have, nil
		}
		versions, err := VersionsIn(ctx, tx, in.City)
		if err != nil {
			return Round{}, err
		}
		r := Round{
			City: in.City, ID: tx.NewID(), Season: in.Season, Deadline: in.Deadline, State: RoundPreparing, Version: 1, Created: tx.Now, By: by.ID,
		}
		if i := InForce(versions, tx.Now.Date()); i >= 0 {
			r.Base = versions[i].Code
		}
		return r, db.Insert(ctx, tx, "claim_round", &r)
	})
}

func insertLines(ctx context.Context, tx *db.Tx, r Round, x *Index, places []place.Community) error {
	for _, p := range places {
		if !p.Connected {
			continue
		}
		l := ClaimLine{City: r.City, Round: r.ID, Community: p.ID, Name: p.Name, District: p.District}
		l.Base, l.BaseArea = x.Owner(p.ID, "", tx.Now.Date())
		if err := insertLine(ctx, tx, l); err != nil {
			return err
		}
	}
	return nil
}

// Claim says that a company serves communities in the coming season. It gives the number that was not claimed before.
func (s *Service) Claim(ctx context.Context, by actor.Actor, in ClaimInput) (int, error) {
	return s.changeClaims(ctx, by, in, "territory.claim", func(ctx context.Context, tx *db.Tx, l ClaimLine) (bool, error) {
		return addClaim(ctx, tx, by, l, in.Company)
	})
}

// Unclaim takes claims of a company back.
func (s *Service) Unclaim(ctx context.Context, by actor.Actor, in ClaimInput) (int, error) {
	return s.changeClaims(ctx, by, in, "territory.unclaim", func(ctx context.Context, tx *db.Tx, l ClaimLine) (bool, error) {
		return dropClaim(ctx, tx, l, in.Company)
	})
}

// ClaimKept claims everything that the company serves now, some hundred communities in a transaction.
func (s *Service) ClaimKept(ctx context.Context, by actor.Actor, city int, round, company string) (int, error) {
	if err := by.May(actor.TerritoryClaim, actor.On{City: city, Company: company}); err != nil {
		return 0, err
	}
	sum := 0
	for {
		ids, err := db.Read(ctx, s.db, func(tx *db.Tx) ([]string, error) { return unclaimedOf(ctx, tx, city, round, company) })
		if err != nil || len(ids) == 0 {
			return sum, err
		}
		n, err := s.Claim(ctx, by, ClaimInput{City: city, Round: round, Company: company, Communities: ids})
		sum += n
		if err != nil {
			return sum, err
		}
	}
}

func (s *Service) changeClaims(ctx context.Context, by actor.Actor, in ClaimInput, act string, change func(context.Context, *db.Tx, ClaimLine) (bool, error)) (int, error) {
	if err := in.check(); err != nil {
		return 0, err
	}
	if err := by.May(actor.TerritoryClaim, actor.On{City: in.City, Company: in.Company}); err != nil {
		return 0, err
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (int, error) {
		r, err := openRound(ctx, tx, in.City, in.Round)
		if err != nil {
			return 0, err
		}
		if !tx.Now.Before(r.Deadline) {
			return 0, fault.New(fault.Conflict, "territory.round_over", "deadline", r.Deadline.Minute())
		}
		if _, err := mustExist(ctx, tx, in.City, in.Company, ""); err != nil {
			return 0, err
		}
		n := 0
		for _, id := range in.Communities {
			l, err := findLine(ctx, tx, in.City, in.Round, id)
			if err != nil {
				return 0, err
			}
			moved, err := change(ctx, tx, l)
			if err != nil {
				return 0, fmt.Errorf("claims on %s: %w", l.Name, err)
			}
			if !moved {
				continue
			}
			n++
			companies, err := claimants(ctx, tx, in.City, in.Round, id)
			if err != nil {
				return 0, err
			}
			l.claimed(companies)
			if err := setLine(ctx, tx, l); fault.Is(err, fault.Conflict) {
				return 0, db.ErrRetry // another company claimed at the same moment: count again
			} else if err != nil {
				return 0, err
			}
		}
		if n == 0 {
			return 0, nil
		}
		return n, noteRound(ctx, tx, by, r, act, map[string]any{"company": in.Company, "communities": in.Communities})
	})
}

func openRound(ctx context.Context, tx *db.Tx, city int, id string) (Round, error) {
	r, err := findRound(ctx, tx, city, id)
	if err == nil && r.State != RoundOpen {
		err = fault.New(fault.Conflict, "territory.round_not_open")
	}
	return r, err
}

// SignHandover is a company's word that a community passes from one to the other. With both words the line is agreed.
func (s *Service) SignHandover(ctx context.Context, by actor.Actor, in SignInput) (ClaimLine, error) {
	if err := by.May(actor.TerritoryClaim, actor.On{City: in.City, Company: in.Company}); err != nil {
		return ClaimLine{}, err
	}
	return s.changeLine(ctx, by, lineAt{in.City, in.Round, in.Community, in.Version}, "territory.sign", func(_ context.Context, tx *db.Tx, l *ClaimLine) error {
		return l.sign(in.Company, tx.Now)
	})
}

// DecideClaim is the authority's decision on a line that the companies did not settle.
func (s *Service) DecideClaim(ctx context.Context, by actor.Actor, in DecideInput) (ClaimLine, error) {
	if err := in.check(); err != nil {
		return ClaimLine{}, err
	}
	if !by.MayAny(actor.TerritoryDecide, in.City) {
		return ClaimLine{}, by.May(actor.TerritoryDecide, actor.On{City: in.City})
	}
	return s.changeLine(ctx, by, lineAt{in.City, in.Round, in.Community, in.Version}, "territory.decide", func(ctx context.Context, tx *db.Tx, l *ClaimLine) error {
		if err := by.May(actor.TerritoryDecide, actor.On{City: in.City, District: l.District}); err != nil {
			return err
		}
		if _, err := mustExist(ctx, tx, in.City, in.Company, ""); err != nil {
			return err
		}
		l.Company, l.State, l.Note, l.DecidedAt, l.DecidedBy = in.Company, ClaimDecided, in.Note, tx.Now, by.ID
		return nil
	})
}

// lineAt is the version of a line that somebody saw.
type lineAt struct {
	city             int
	round, community string
	version          int64
}

func (s *Service) changeLine(ctx context.Context, by actor.Actor, at lineAt, act string, change func(context.Context, *db.Tx, *ClaimLine) error) (ClaimLine, error) {
	return db.Write(ctx, s.db, func(tx *db.Tx) (ClaimLine, error) {
		r, err := openRound(ctx, tx, at.city, at.round)
		if err != nil {
			return ClaimLine{}, err
		}
		l, err := findLine(ctx, tx, at.city, at.round, at.community)
		if err != nil {
			return ClaimLine{}, err
		}
		if l.Version != at.version {
			return ClaimLine{}, fault.New(fault.Conflict, "conflict.version")
		}
		if err := change(ctx, tx, &l); err != nil {
			return ClaimLine{}, err
		}
		if err := setLine(ctx, tx, l); err != nil {
			return ClaimLine{}, err
		}
		l.Version++
		return l, noteRound(ctx, tx, by, r, act, map[string]any{"community": l.Community, "company": l.Company, "state": l.State, "note": l.Note})
	})
}

// PublishRound makes what a round settled the list of a version. Nothing may be open but what nobody served before.
func (s *Service) PublishRound(ctx context.Context, by actor.Actor, in PublishInput) (Round, error) {
	if err := by.May(actor.TerritoryDecide, actor.On{City: in.City}); err != nil {
		return Round{}, err
	}
	if err := in.check(); err != nil {
		return Round{}, err
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (Round, error) {
		r, err := openRound(ctx, tx, in.City, in.Round)
		if err != nil {
			return Round{}, err
		}
		if r.Version != in.Version {
			return Round{}, fault.New(fault.Conflict, "conflict.version")
		}
		open := 0
		err = eachLine(ctx, tx, in.City, in.Round, LineFilter{}, func(l ClaimLine) error {
			if l.open() {
				open++
			}
			return nil
		})
		if err != nil {
			return Round{}, err
		}
		if open > 0 {
			return Round{}, fault.New(fault.Conflict, "territory.round_unsettled", "count", open)
		}
		return s.publishIn(ctx, tx, by, r, in)
	})
}

func (s *Service) publishIn(ctx context.Context, tx *db.Tx, by actor.Actor, r Round, in PublishInput) (Round, error) {
	edition, err := place.HoldIn(ctx, tx, in.City, place.Communities)
	if err != nil {
		return Round{}, err
	}
	if err := SaveVersionIn(ctx, tx, Version{City: in.City, Code: in.Code, From: in.From, Source: in.Source, By: by.ID}); err != nil {
		return Round{}, err
	}
	n, err := listSettled(ctx, tx, r, in.Code, edition)
	if err != nil {
		return Round{}, fmt.Errorf("publish a claim round: %w", err)
	}
	r.State, r.Published = RoundPublished, in.Code
	if err := setRound(ctx, tx, r); err != nil {
		return Round{}, err
	}
	r.Version++
	if err := s.BumpIn(ctx, tx, in.City); err != nil {
		return Round{}, err
	}
	return r, noteRound(ctx, tx, by, r, "territory.publish", map[string]any{"version": in.Code, "from": in.From, "source": in.Source, "changed": n})
}

// Rounds lists the claim rounds of a city, the newest first.
func (s *Service) Rounds(ctx context.Context, by actor.Actor, city int) ([]Round, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]Round, error) { return rounds(ctx, tx, city) })
}

// Lines lists the lines of a round by district and name.
func (s *Service) Lines(ctx context.Context, by actor.Actor, city int, round string, f LineFilter) (page.Of[ClaimLine], error) {
	if err := mayRead(by, city); err != nil {
		return page.Of[ClaimLine]{}, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (page.Of[ClaimLine], error) { return linesOf(ctx, tx, city, round, f) })
}

// EachLine hands over every line that the list of the same filter shows, without a cap, for an export.
func (s *Service) EachLine(ctx context.Context, by actor.Actor, city int, round string, f LineFilter, fn func(ClaimLine) error) error {
	if err := mayRead(by, city); err != nil {
		return err
	}
	_, err := db.Read(ctx, s.db, func(tx *db.Tx) (int, error) { return 0, eachLine(ctx, tx, city, round, f, fn) })
	return err
}

// CountLines counts the lines of a round by state.
func (s *Service) CountLines(ctx context.Context, by actor.Actor, city int, round string) (map[ClaimState]int, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (map[ClaimState]int, error) { return countLines(ctx, tx, city, round) })
}

// Claimants lists the companies that claim a community.
func (s *Service) Claimants(ctx context.Context, by actor.Actor, city int, round, community string) ([]string, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]string, error) { return claimants(ctx, tx, city, round, community) })
}
