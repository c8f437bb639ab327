package knowledge

import (
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/staff"
)

// MustReads lists the versions in force that the actor must still read, the oldest first.
func (s *Service) MustReads(ctx context.Context, by actor.Actor, city int) ([]View, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]View, error) {
		unread, err := unreadBy(ctx, tx, city, by.ID)
		if err != nil {
			return nil, err
		}
		roles := rolesIn(by, city)
		unread = slices.DeleteFunc(unread, func(v Version) bool {
			return !slices.ContainsFunc(v.MustRead, func(r actor.Role) bool { return slices.Contains(roles, r) })
		})
		return s.view(ctx, tx, unread)
	})
}

func rolesIn(by actor.Actor, city int) []actor.Role {
	var out []actor.Role
	for _, g := range by.Grants {
		if g.City == 0 || g.City == city {
			out = append(out, g.Role)
		}
	}
	return out
}

// Confirm notes that the actor has read a version. Confirming twice changes nothing.
func (s *Service) Confirm(ctx context.Context, by actor.Actor, city int, article string, no int) error {
	if err := mayRead(by, city); err != nil {
		return err
	}
	if by.Kind != actor.Person {
		return fault.New(fault.Denied, "denied.scope")
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		v, err := findVersion(ctx, tx, city, article, no)
		if err != nil {
			return err
		}
		if v.State != Published {
			return fault.New(fault.Conflict, "knowledge.not_published")
		}
		fresh, err := insertReceipt(ctx, tx, Receipt{City: city, Article: article, No: no, Person: by.ID, Org: by.Org, ReadAt: tx.Now})
		if err != nil || !fresh {
			return err
		}
		return note(ctx, tx, by, v, "confirm", map[string]any{"no": no})
	})
}

// Receipt is somebody's word that they have read a version.
type Receipt struct {
	City    int           `db:"city_id" json:"city"`
	Article string        `db:"article_id" json:"article"`
	No      int           `db:"no" json:"no"`
	Person  string        `db:"person" json:"person"`
	Org     string        `db:"org" json:"org"`
	ReadAt  civil.Instant `db:"read_at" json:"read_at"`
}

// ProofLine is one seat on the proof sheet.
type ProofLine struct {
	Person string        `json:"person"`
	Name   string        `json:"name"`
	Org    string        `json:"org"`
	Roles  []actor.Role  `json:"roles"`
	ReadAt civil.Instant `json:"read_at"` // absent: not read yet
}

// Proof is the proof that each seat has read a version.
type Proof struct {
	Version
	Lines []ProofLine `json:"lines"`
	Read  int         `json:"read"`
}

// Unread are those who have not read it yet.
func (p Proof) Unread() []ProofLine {
	return slices.DeleteFunc(slices.Clone(p.Lines), func(l ProofLine) bool { return !l.ReadAt.IsZero() })
}

// Prove lists everybody who must read a version with when they did, by organisation and name.
func (s *Service) Prove(ctx context.Context, by actor.Actor, city int, article string, no int) (Proof, error) {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: city}); err != nil {
		return Proof{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Proof, error) {
		v, err := findVersion(ctx, tx, city, article, no)
		if err != nil {
			return Proof{}, err
		}
		receipts, err := receiptsOf(ctx, tx, city, article, no)
		if err != nil {
			return Proof{}, err
		}
		read := map[string]civil.Instant{}
		for _, r := range receipts {
			read[r.Person] = r.ReadAt
		}
		holders, err := staff.Holders(ctx, tx, city, v.MustRead)
		if err != nil {
			return Proof{}, err
		}
		p := Proof{Version: v}
		for _, h := range holders {
			line := ProofLine{Person: h.ID, Name: h.Name, Org: h.Org, ReadAt: read[h.ID]}
			for _, g := range h.Grants {
				if slices.Contains(v.MustRead, g.Role) && !slices.Contains(line.Roles, g.Role) {
					line.Roles = append(line.Roles, g.Role)
				}
			}
			if !line.ReadAt.IsZero() {
				p.Read++
			}
			p.Lines = append(p.Lines, line)
		}
		return p, nil
	})
}

// FlagKind is what is the matter with an article.
type FlagKind string

// The kinds of flags.
const (
	Wrong   FlagKind = "wrong"   // 不准
	Missing FlagKind = "missing" // 缺
)

// Flag is a seat's word that an article is wrong or that one is missing.
type Flag struct {
	City      int           `db:"city_id" json:"city"`
	ID        string        `db:"id" json:"id"`
	Article   string        `db:"article_id" json:"article,omitempty"`
	No        int           `db:"no" json:"no,omitempty"`
	Kind      FlagKind      `db:"kind" json:"kind"`
	Note      string        `db:"note" json:"note"`
	Person    string        `db:"person" json:"person"`
	Owner     string        `db:"owner" json:"owner,omitempty"`
	At        civil.Instant `db:"at" json:"at"`
	SettledAt civil.Instant `db:"settled_at" json:"settled_at"`
	SettledBy string        `db:"settled_by" json:"settled_by,omitempty"`
	Outcome   string        `db:"outcome" json:"outcome,omitempty"`
}

// FlagInput is what a seat says about an article.
type FlagInput struct {
	City    int      `json:"city" form:"city"`
	Article string   `json:"article" form:"article"` // empty: there is none
	No      int      `json:"no" form:"no"`
	Kind    FlagKind `json:"kind" form:"kind"`
	Note    string   `json:"note" form:"note"`
}

// Report flags an article as wrong, or something as missing, to the article's owner and the keepers of knowledge.
func (s *Service) Report(ctx context.Context, by actor.Actor, in FlagInput) (Flag, error) {
	if err := mayRead(by, in.City); err != nil {
		return Flag{}, err
	}
	in.Note = strings.TrimSpace(in.Note)
	var c fault.Check
	c.That(in.Kind == Wrong || in.Kind == Missing, "kind", "field.not_one_of", "allowed", "wrong, missing")
	c.That(in.Kind != Wrong || in.Article != "", "article", "field.required")
	c.That(in.Kind != Missing || in.Note != "", "note", "field.required")
	c.That(len([]rune(in.Note)) <= 300, "note", "field.too_long", "max", 300)
	if err := c.Err(); err != nil {
		return Flag{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Flag, error) {
		f := Flag{City: in.City, ID: tx.NewID(), Article: in.Article, No: in.No, Kind: in.Kind, Note: in.Note, Person: by.ID, At: tx.Now}
		if in.Article != "" {
			if _, err := findVersion(ctx, tx, in.City, in.Article, in.No); err != nil {
				return f, err
			}
			a, err := findArticle(ctx, tx, in.City, in.Article)
			if err != nil {
				return f, err
			}
			f.Owner = a.Owner
		}
		if err := insertFlag(ctx, tx, f); err != nil {
			return f, err
		}
		if err := s.tellKeepers(ctx, tx, by, f); err != nil {
			return f, err
		}
		return f, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: subject(in.Article), Act: "knowledge.flag", Body: map[string]any{"flag": f.ID, "kind": f.Kind}})
	})
}

func (s *Service) tellKeepers(ctx context.Context, tx *db.Tx, by actor.Actor, f Flag) error {
	if s.o.Notices == nil {
		return nil
	}
	_, err := s.o.Notices.EnqueueIn(ctx, tx, by, notice.Message{
		City: f.City, Channel: notice.Console, Role: actor.RoleKnowledge, Template: "knowledge.flagged." + string(f.Kind),
		Params: map[string]any{"note": f.Note}, Matter: "article_flag:" + f.ID,
	})
	return err
}

// Flagged is a flag with the title of what it is about and the name of whoever said it.
type Flagged struct {
	Flag
	TitleZH string `json:"title_zh,omitempty"`
	TitleEN string `json:"title_en,omitempty"`
	Name    string `json:"name"`
}

// Flags lists the flags that nobody has settled, the oldest first, for those who write.
func (s *Service) Flags(ctx context.Context, by actor.Actor, city int) ([]Flagged, error) {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Flagged, error) {
		flags, err := openFlags(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(flags))
		for i, f := range flags {
			ids[i] = f.Person
		}
		names, err := staff.NamesOf(ctx, tx, ids)
		if err != nil {
			return nil, err
		}
		out := make([]Flagged, len(flags))
		for i, f := range flags {
			out[i] = Flagged{Flag: f, Name: names[f.Person]}
			if f.Article == "" {
				continue
			}
			v, err := findVersion(ctx, tx, city, f.Article, f.No)
			if err != nil {
				return nil, err
			}
			out[i].TitleZH, out[i].TitleEN = v.TitleZH, v.TitleEN
		}
		return out, nil
	})
}

// Settle says what came of a flag.
func (s *Service) Settle(ctx context.Context, by actor.Actor, city int, flag, outcome string) error {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: city}); err != nil {
		return err
	}
	outcome = strings.TrimSpace(outcome)
	var c fault.Check
	c.That(outcome != "", "outcome", "field.required")
	c.That(len([]rune(outcome)) <= 300, "outcome", "field.too_long", "max", 300)
	if err := c.Err(); err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		f, err := findFlag(ctx, tx, city, flag)
		if err != nil {
			return err
		}
		if err := settleFlag(ctx, tx, f, by.ID, outcome); err != nil {
			return err
		}
		return audit.Record(ctx, tx, by, city, audit.Act{Subject: subject(f.Article), Act: "knowledge.settle", Body: map[string]any{"flag": f.ID}})
	})
}
