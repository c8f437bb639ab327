package wechat

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
)

// The bounds of what is not known.
const (
	keyLife    = 8 * time.Minute // WeChat knows the key of a template message for ten
	reportWait = 3 * time.Minute // for which WeChat's report on a subscription message is waited for
	mostTries  = 3               // of a WeChat that is busy or away, before a text message goes out
)

// way is one account and template by which a message can reach a resident.
type way struct {
	account  *Account
	template Template
	user     user
}

// Reach reports whether a text can go to a person by WeChat: somebody bound an account, and there is a template for it that
// they allow. Whether WeChat still takes it then shows when it is sent.
func (s *Service) Reach(ctx context.Context, tx *db.Tx, city int, person, template string) (bool, error) {
	users, err := usersOf(ctx, tx, city, person)
	if err != nil || person == "" || len(users) == 0 {
		return false, err
	}
	accounts, err := s.accountsIn(ctx, tx, city)
	if err != nil {
		return false, err
	}
	all, err := s.ways(ctx, tx, accounts, city, person, template)
	if err != nil {
		return false, err
	}
	for _, w := range all {
		if w.template.Kind == TemplateMessage {
			return true, nil
		}
		open, err := openConsents(ctx, tx, city, w.user.ID, w.template.ID)
		if err != nil || len(open) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// Gateway sends messages of the channel WeChat; their address is the id of the person.
func (s *Service) Gateway() notice.Gateway { return gateway{s} }

type gateway struct{ s *Service }

// Send hands a message to WeChat as a template or subscription message and gives WeChat's id of it. Invalid: it cannot go
// this way, so that it goes another. Conflict: WeChat may have taken it and does not say, so that a person has to look.
// Anything else is tried again under the same key.
func (g gateway) Send(ctx context.Context, out notice.Outgoing) (string, error) {
	head, _, ok := strings.Cut(out.Key, ".")
	city, err := strconv.Atoi(head)
	if !ok || err != nil {
		return "", fmt.Errorf("send by wechat: the key %q names no city", out.Key)
	}
	for range 4 { // each account refuses once at most
		w, row, err := g.s.prepare(ctx, city, out)
		if err != nil {
			return "", err
		}
		if row.State == taken {
			return row.Message, nil
		}
		id, sendErr := g.s.handOver(ctx, w, row, out)
		row, err = g.s.settle(ctx, w, row, id, sendErr)
		if err != nil {
			return "", err
		}
		switch {
		case row.State == taken:
			return row.Message, nil
		case row.State == trying:
			return "", sendErr
		case later(sendErr) && row.Attempts < mostTries:
			return "", fault.Wrap(sendErr, fault.Down, "wechat.down")
		case later(sendErr):
			return "", noWay()
		}
	}
	return "", noWay()
}

func noWay() error { return fault.New(fault.Invalid, "wechat.no_way") }

// prepare writes down what will be tried, or says what became of the last try.
func (s *Service) prepare(ctx context.Context, city int, out notice.Outgoing) (way, sendRow, error) {
	type plan struct {
		way way
		row sendRow
	}
	accounts, err := s.Accounts(ctx, city)
	if err != nil {
		return way{}, sendRow{}, err
	}
	p, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (plan, error) {
		row, known, err := findSend(ctx, tx, city, out.Key)
		if err != nil || row.State == taken {
			return plan{row: row}, err
		}
		all, err := s.ways(ctx, tx, accounts, city, out.To, out.Template)
		if err != nil {
			return plan{}, err
		}
		if row.State == trying {
			w, row, err := s.resume(ctx, tx, all, row)
			return plan{w, row}, err
		}
		w, row, err := s.begin(ctx, tx, all, row, known, city, out.Key)
		return plan{w, row}, err
	})
	return p.way, p.row, err
}

// ways lists how a template can reach a resident, mini programs first.
func (s *Service) ways(ctx context.Context, tx *db.Tx, accounts []*Account, city int, person, template string) ([]way, error) {
	if person == "" {
		return nil, nil
	}
	users, err := usersOf(ctx, tx, city, person)
	if err != nil {
		return nil, err
	}
	var all []way
	for _, u := range users {
		if u.Muted {
			continue
		}
		if still, err := s.stillBound(ctx, tx, u); err != nil || !still {
			if err != nil {
				return nil, err
			}
			continue
		}
		for _, a := range accounts {
			t, ok := a.Templates[template]
			if a.ID == u.AppID && ok && (t.Kind == SubscribeMessage || u.Follows) {
				all = append(all, way{a, t, u})
			}
		}
	}
	return all, nil
}

// stillBound reports whether the resident has not taken WeChat apart since.
func (s *Service) stillBound(ctx context.Context, tx *db.Tx, u user) (bool, error) {
	openid, err := s.openID(ctx, tx, u)
	if err != nil {
		return false, ours(err)
	}
	person, ok, err := s.o.Residents.ByIdentityIn(ctx, tx, u.City, resident.WeChat, openid)
	return ok && person == u.Resident, err
}

// resume finds out what became of a try whose answer was lost: WeChat's report, or for template messages its memory of keys.
func (s *Service) resume(ctx context.Context, tx *db.Tx, all []way, row sendRow) (way, sendRow, error) {
	if r, ok, err := freeReport(ctx, tx, row); err != nil {
		return way{}, row, err
	} else if ok {
		if mine, err := claimReport(ctx, tx, r, row.Key); err != nil || !mine {
			return way{}, row, orRetry(err)
		}
		row.State, row.Message = taken, r.Message
		if err := updateSend(ctx, tx, row); err != nil {
			return way{}, row, err
		}
		return way{}, row, s.tell(ctx, tx, row.City, row.Key, r.Delivered)
	}
	i := slices.IndexFunc(all, func(w way) bool { return w.user.ID == row.User && w.template.ID == row.Template })
	since := time.Duration(s.now().UnixMilli()-row.Tried) * time.Millisecond
	switch {
	case i >= 0 && all[i].template.Kind == TemplateMessage && since < keyLife:
		row.Attempts++
		err := updateSend(ctx, tx, row)
		row.Version++
		return all[i], row, err
	case since < reportWait:
		return way{}, row, fault.New(fault.Down, "wechat.no_report_yet")
	}
	return way{}, row, fault.New(fault.Conflict, "wechat.unsure")
}

func orRetry(err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("claim a report: %w", db.ErrRetry)
}

// begin chooses the first way that WeChat has not refused for this message, takes a consent where one is needed, and
// writes the try down before it is made.
func (s *Service) begin(ctx context.Context, tx *db.Tx, all []way, row sendRow, known bool, city int, key string) (way, sendRow, error) {
	for _, w := range all {
		if strings.Contains(row.Why, mark(w)) {
			continue
		}
		consentID := ""
		if w.template.Kind == SubscribeMessage {
			id, err := s.takeConsent(ctx, tx, w, key)
			if err != nil {
				return w, row, err
			}
			if id == "" {
				continue
			}
			consentID = id
		}
		row.City, row.Key, row.User, row.AppID, row.Template, row.Consent = city, key, w.user.ID, w.account.ID, w.template.ID, consentID
		row.State, row.Tried, row.Attempts = trying, s.now().UnixMilli(), row.Attempts+1
		if known {
			err := updateSend(ctx, tx, row)
			row.Version++
			return w, row, err
		}
		row.Created, row.Version = tx.Now, 1
		err := db.Insert(ctx, tx, "wechat_send", row)
		if db.IsUnique(err) {
			return w, row, fmt.Errorf("hand a message over: %w", db.ErrRetry)
		}
		return w, row, err
	}
	return way{}, row, noWay()
}

// mark names a way in the list of those that refused.
func mark(w way) string { return w.account.ID + "/" + w.template.ID + "=" }

func (s *Service) takeConsent(ctx context.Context, tx *db.Tx, w way, key string) (string, error) {
	open, err := openConsents(ctx, tx, w.user.City, w.user.ID, w.template.ID)
	if err != nil {
		return "", err
	}
	for _, id := range open {
		if mine, err := spend(ctx, tx, w.user.City, id, key); err != nil || mine {
			return id, err
		}
	}
	return "", nil
}

// handOver gives a message to WeChat, outside any transaction.
func (s *Service) handOver(ctx context.Context, w way, row sendRow, out notice.Outgoing) (string, error) {
	to, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (string, error) { return s.openID(ctx, tx, w.user) })
	if err != nil {
		return "", err
	}
	params := map[string]string{}
	maps.Copy(params, out.Params)
	params["token"] = params["link"][strings.LastIndexByte(params["link"], '/')+1:]
	d := delivery{
		To: to, Key: shortKey(row.Key), Data: w.template.data(out.Text, params), Link: params["link"], Page: fillPage(w.template.Page, params), Lang: "zh_CN",
	}
	if w.template.Kind == SubscribeMessage {
		return s.o.Client.sendSubscribe(ctx, w.account, w.template.ID, d)
	}
	accounts, err := s.Accounts(ctx, row.City)
	if err != nil {
		return "", err
	}
	if m := ofApp(accounts, Mini); m != nil {
		d.MiniID = m.ID
	}
	return s.o.Client.sendTemplate(ctx, w.account, w.template.ID, d)
}

// shortKey fits a key into the 32 characters that WeChat allows.
func shortKey(key string) string { return Sign("", key)[:32] }

func fillPage(page string, params map[string]string) string {
	for k, v := range params {
		page = strings.ReplaceAll(page, "{"+k+"}", v)
	}
	return unfilled.ReplaceAllString(page, "")
}

// settle writes down what WeChat answered. No answer leaves the try as it is, for nobody knows.
func (s *Service) settle(ctx context.Context, w way, row sendRow, id string, sendErr error) (sendRow, error) {
	if sendErr != nil && refused(sendErr) == 0 && !later(sendErr) {
		return row, nil
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (sendRow, error) {
		row := row
		if sendErr == nil {
			row.State, row.Message = taken, id
			if err := s.claimOwn(ctx, tx, row); err != nil {
				return row, err
			}
			return row, updateSend(ctx, tx, row)
		}
		row.State = turned
		if !later(sendErr) {
			row.Why += mark(w) + strconv.Itoa(refused(sendErr)) + " "
		}
		if row.Consent != "" {
			if err := giveBack(ctx, tx, row.City, row.Consent, row.Key); err != nil {
				return row, err
			}
		}
		if err := s.learn(ctx, tx, w, refused(sendErr)); err != nil {
			return row, err
		}
		return row, updateSend(ctx, tx, row)
	})
}

// learn keeps what a refusal says about the resident.
func (s *Service) learn(ctx context.Context, tx *db.Tx, w way, code int) error {
	switch code {
	case codeRefused:
		return dropConsents(ctx, tx, w.user.City, w.user.ID, w.template.ID)
	case codeUnsubscribe:
		u, err := findUser(ctx, tx, w.user.City, w.user.ID)
		if err != nil || !u.Follows {
			return err
		}
		u.Follows = false
		return updateUser(ctx, tx, u)
	}
	return nil
}

// receipting is the job that tells the messages whether one arrived.
type receipting struct {
	Key       string `json:"key"`
	Delivered bool   `json:"delivered"`
}

// Kind names the job.
func (receipting) Kind() string { return "wechat.receipt" }

func (s *Service) tell(ctx context.Context, tx *db.Tx, city int, key string, delivered bool) error {
	return jobs.Add(ctx, tx, city, receipting{key, delivered}, jobs.When{})
}

func (s *Service) receipt(ctx context.Context, j jobs.Job, a receipting) error {
	err := s.o.Notices.Receive(ctx, j.City, notice.Receipt{Key: a.Key, Delivered: a.Delivered})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// claimOwn takes a report that overtook WeChat's answer.
func (s *Service) claimOwn(ctx context.Context, tx *db.Tx, row sendRow) error {
	r, ok, err := findReport(ctx, tx, row.City, row.AppID, row.Message)
	if err != nil || !ok || r.ClaimedBy != "" {
		return err
	}
	if _, err := claimReport(ctx, tx, r, row.Key); err != nil {
		return err
	}
	return s.tell(ctx, tx, row.City, row.Key, r.Delivered)
}

// reported keeps WeChat's word on a message. A report that comes twice changes nothing.
func (s *Service) reported(ctx context.Context, tx *db.Tx, a *Account, u user, o Outcome) error {
	if o.Message == "" {
		return nil
	}
	if _, known, err := findReport(ctx, tx, a.City, a.ID, o.Message); err != nil || known {
		return err
	}
	r := report{City: a.City, AppID: a.ID, Message: o.Message, User: u.ID, Template: o.Template, Delivered: o.Delivered, Why: o.Why, Came: s.now().UnixMilli()}
	row, ok, err := sendOfMessage(ctx, tx, a.City, a.ID, o.Message)
	if err != nil {
		return err
	}
	if ok {
		r.ClaimedBy = row.Key
	}
	if err := db.Insert(ctx, tx, "wechat_report", r); err != nil || !ok {
		return err
	}
	return s.tell(ctx, tx, a.City, row.Key, o.Delivered)
}

// openID opens a user's id in WeChat.
func (s *Service) openID(ctx context.Context, tx *db.Tx, u user) (string, error) {
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, u.City, u.Person)
	if err != nil {
		return "", err
	}
	if p.Erased {
		return "", noWay()
	}
	return p.Open("wechat.openid", u.OpenID)
}
