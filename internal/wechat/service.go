package wechat

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// Options set up a Service. Machine and Log may be left out.
type Options struct {
	DB        *db.DB
	Ring      *secret.Ring
	Jobs      *jobs.Runner
	Client    *Client
	Channels  *channel.Service
	Residents *resident.Service
	Cases     *cases.Service
	Notices   *notice.Service
	Blobs     *blob.Service
	Machine   func() time.Time
	Log       *slog.Logger

	Rules     func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	Attribute func(ctx context.Context, tx *db.Tx, city int, q territory.Query) (territory.Answer, error)
	Company   func(ctx context.Context, tx *db.Tx, city int, code string, l text.Lang) string
	Receipt   func(city int, token string) string  // address of the page that follows a case
	Entrance  func(city int, ticket string) string // address at which a login ticket is used
}

// Service offers the use cases.
type Service struct {
	o Options
}

// New makes the service, registers its jobs and joins the channel.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Client == nil || o.Channels == nil {
		return nil, errors.New("wechat: a database, a keyring, a client and the channels are needed")
	}
	if o.Machine == nil {
		o.Machine = time.Now //nolint:forbidigo // machine time, unless given
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o}
	o.Client.tokens = s
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.receipt)
		jobs.Handle(o.Jobs, s.open)
		jobs.Handle(o.Jobs, s.fetch)
		jobs.Handle(o.Jobs, s.sweep)
		o.Jobs.Every(time.Hour, sweeping{})
	}
	o.Channels.Join(channel.Adapter{Channel: cases.WeChat, Sender: sender{s}})
	return s, nil
}

func (s *Service) now() time.Time { return s.o.Machine() }

// Accounts are the accounts of a city that can be used: switched on, with credential and sound settings.
func (s *Service) Accounts(ctx context.Context, city int) ([]*Account, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]*Account, error) { return s.accountsIn(ctx, tx, city) })
}

func (s *Service) accountsIn(ctx context.Context, tx *db.Tx, city int) ([]*Account, error) {
	rows, err := s.o.Channels.AccountsIn(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	var all []*Account
	for _, r := range rows {
		if r.Channel != cases.WeChat || !r.Enabled {
			continue
		}
		access, err := s.o.Channels.AccessOf(r)
		if err == nil {
			var a *Account
			if a, err = ReadAccount(city, r.Name, r.Settings, access.Credential); err == nil {
				all = append(all, a)
				continue
			}
		}
		s.o.Log.WarnContext(ctx, "wechat account cannot be used", "city", city, "account", r.Name, "error", err)
	}
	return all, nil
}

func (s *Service) account(ctx context.Context, city int, name string) (*Account, error) {
	access, err := s.o.Channels.Access(ctx, city, cases.WeChat, name)
	if err != nil {
		return nil, err
	}
	return ReadAccount(city, name, access.Settings, access.Credential)
}

func ofApp(all []*Account, app App) *Account {
	if i := slices.IndexFunc(all, func(a *Account) bool { return a.App == app }); i >= 0 {
		return all[i]
	}
	return nil
}

// mini is the city's mini program; NotFound when it has none.
func (s *Service) mini(ctx context.Context, city int) (*Account, error) {
	all, err := s.Accounts(ctx, city)
	if err != nil {
		return nil, err
	}
	if a := ofApp(all, Mini); a != nil {
		return a, nil
	}
	return nil, fault.New(fault.NotFound, "not_found")
}

// userIn finds who an openid belongs to, or makes them. The blind index knows no capitals, but an openid does: it is spelt
// out in hexadecimal digits there.
func (s *Service) userIn(ctx context.Context, tx *db.Tx, a *Account, openid string) (user, error) {
	p, err := secret.Subject(ctx, tx, s.o.Ring, a.City, "wechat", hex.EncodeToString([]byte(a.ID+":"+openid)))
	if err != nil {
		return user{}, err
	}
	bound, _, err := s.o.Residents.ByIdentityIn(ctx, tx, a.City, resident.WeChat, openid)
	if err != nil {
		return user{}, err
	}
	u, ok, err := userOfPerson(ctx, tx, a.City, p.ID)
	if err != nil {
		return u, err
	}
	if ok {
		return s.sameUser(ctx, tx, u, bound)
	}
	u = user{
		City: a.City, ID: tx.NewID(), AppID: a.ID, App: a.App, Person: p.ID, OpenID: p.Seal("wechat.openid", openid), Resident: bound, Created: tx.Now, Version: 1,
	}
	err = db.Insert(ctx, tx, "wechat_user", u)
	if db.IsUnique(err) {
		return u, fmt.Errorf("first word of a resident: %w", db.ErrRetry)
	}
	return u, err
}

// sameUser brings a user up to date with what the resident joined or took apart elsewhere.
func (s *Service) sameUser(ctx context.Context, tx *db.Tx, u user, bound string) (user, error) {
	if u.Resident == bound {
		return u, nil
	}
	u.Resident = bound
	err := updateUser(ctx, tx, u)
	u.Version++
	return u, err
}

// seal keeps something of a user unreadable without their key.
func (s *Service) seal(ctx context.Context, tx *db.Tx, u user, v any) (string, error) {
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, u.City, u.Person)
	if err != nil {
		return "", err
	}
	if p.Erased {
		return "", fault.New(fault.NotFound, "not_found")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("seal what a resident said: %w", err)
	}
	return p.Seal("wechat.notes", string(b)), nil
}

func (s *Service) unseal(ctx context.Context, tx *db.Tx, u user, sealed string, into any) error {
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, u.City, u.Person)
	if err != nil {
		return err
	}
	plain, err := p.Open("wechat.notes", sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(plain), into)
}

// visitor is whoever writes, as far as rights go: a resident may report and see what is theirs.
func visitor() actor.Actor { return actor.Anonymous(actor.Public) }

// robot is the account itself, answering.
func robot() actor.Actor { return actor.SystemFor("wechat", actor.Job) }

// SetMenu sets the custom menu of the city's official account as its settings have it; an empty one takes it away.
func (s *Service) SetMenu(ctx context.Context, by actor.Actor, city int) error {
	if err := by.May(actor.ChannelManage, actor.On{City: city}); err != nil {
		return err
	}
	all, err := s.Accounts(ctx, city)
	if err != nil {
		return err
	}
	a, mini := ofApp(all, Official), ofApp(all, Mini)
	if a == nil {
		return fault.New(fault.NotFound, "wechat.no_account")
	}
	miniID := ""
	if mini != nil {
		miniID = mini.ID
	}
	if len(a.Menu) == 0 {
		err = s.o.Client.dropMenu(ctx, a)
	} else {
		err = s.o.Client.putMenu(ctx, a, miniID, a.Menu)
	}
	if code := refused(err); code != 0 {
		return fault.Wrap(err, fault.Invalid, "wechat.menu_refused", "code", code)
	}
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		return audit.Record(ctx, tx, by, city, audit.Act{Subject: "channel:wechat/" + a.Name, Act: "wechat.menu", Body: map[string]any{"entries": len(a.Menu)}})
	})
}

// sweeping is the job that forgets answered pushes and tickets that are over.
type sweeping struct{}

// Kind names the job.
func (sweeping) Kind() string { return "wechat.sweep" }

// keepPushes is how long an answer is kept: far longer than WeChat repeats a message, and than the window of a signature.
const keepPushes = 3 * 24 * time.Hour

func (s *Service) sweep(ctx context.Context, j jobs.Job, _ sweeping) error {
	for {
		n, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (int64, error) {
			n, err := sweepPushes(ctx, tx, j.City, tx.Now.Add(-keepPushes))
			if err != nil {
				return 0, err
			}
			m, err := sweepTickets(ctx, tx, j.City, s.now().Add(-time.Hour).UnixMilli())
			return n + m, err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// sender answers residents as customer service, for the channel.
type sender struct{ s *Service }

// Send gives an answer to WeChat.
func (d sender) Send(ctx context.Context, a channel.Access, out channel.Outgoing) (string, error) {
	acc, err := ReadAccount(a.City, a.Name, a.Settings, a.Credential)
	if err != nil {
		return "", err
	}
	err = d.s.o.Client.sendText(ctx, acc, out.Sender, fit(out.Text))
	switch {
	case err == nil:
		return "", nil
	case later(err):
		return "", fault.Wrap(err, fault.Exhausted, "wechat.down")
	case refused(err) != 0:
		return "", fault.Wrap(err, fault.Invalid, "wechat.refused", "code", refused(err))
	}
	return "", err
}

// mostBytes is what WeChat takes as one text.
const mostBytes = 2040

// fit cuts a text at WeChat's bound, between characters.
func fit(said string) string {
	if len(said) <= mostBytes {
		return said
	}
	cut := 0
	for i := range said {
		if i > mostBytes-len("…") {
			break
		}
		cut = i
	}
	return said[:cut] + "…"
}
