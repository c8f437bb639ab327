package wechat

import (
	"bytes"
	"context"
	"time"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/text"
)

// opening is the job that opens the case of a finished conversation. What was said is sealed for its user.
type opening struct {
	User  string `json:"user"`
	Notes string `json:"notes"`
	Key   string `json:"key"`
}

// Kind names the job.
func (opening) Kind() string { return "wechat.open" }

// open opens the case, ties the conversation to it and tells the resident its number. The key makes it one case however
// often the job runs.
func (s *Service) open(ctx context.Context, j jobs.Job, o opening) error {
	photos, err := s.photosOf(ctx, j.City, o)
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		u, err := findUser(ctx, tx, j.City, o.User)
		if err != nil {
			return err
		}
		var n notes
		if err := s.unseal(ctx, tx, u, o.Notes, &n); err != nil {
			return err
		}
		opened, err := s.o.Cases.OpenIn(ctx, tx, visitor(), n.opening(u, o.Key))
		if fault.Is(err, fault.Invalid) {
			return s.reply(ctx, tx, u.City, n.Message, o.Key, "", text.T(n.Lang, "wechat.not_opened", "why", text.Fault(n.Lang, fault.Of(err))))
		}
		if err != nil {
			return err
		}
		c := opened.Case
		if err := keepCase(ctx, tx, ownCase{City: u.City, User: u.ID, Case: c.ID, Token: c.Token, At: tx.Now}); err != nil {
			return err
		}
		for _, p := range photos {
			if _, err := s.o.Blobs.SaveIn(ctx, tx, visitor(), p.For(c.Subject())); err != nil {
				return err
			}
		}
		return s.reply(ctx, tx, u.City, n.Message, o.Key, c.ID, s.openedText(ctx, tx, n, opened))
	})
}

// opening is what the conversation gathered, as every other door gives it.
func (n notes) opening(u user, key string) cases.Opening {
	o := cases.Opening{
		City: u.City, Door: citypack.DoorWeb, Channel: cases.WeChat, Text: n.words(), Caller: cases.Party{Phone: n.Phone}, Address: n.Address,
		Details: cases.Details{Since: n.Since}, TestRequest: n.Test, Key: "wechat:" + key,
	}
	if n.Point != nil {
		o.Lng, o.Lat = &n.Point.Lng, &n.Point.Lat
	}
	return o
}

func (s *Service) openedText(ctx context.Context, tx *db.Tx, n notes, o cases.Opened) string {
	key := "wechat.opened"
	switch {
	case o.Reminder:
		key = "wechat.reminded"
	case o.Case.Company != "":
		key = "wechat.opened_with"
	}
	said := text.T(n.Lang, key, "no", o.Case.No, "company", s.o.Company(ctx, tx, o.Case.City, o.Case.Company, n.Lang))
	if o.Case.Open && !o.Case.DueAt.IsZero() && o.Case.Company != "" {
		said += "\n" + text.T(n.Lang, "wechat.due", "at", day(o.Case.DueAt))
	}
	return said + "\n" + s.o.Receipt(o.Case.City, o.Case.Token)
}

// reply answers through the channel, which sends by a job of its own.
func (s *Service) reply(ctx context.Context, tx *db.Tx, city int, message, key, caseID, said string) error {
	if message == "" {
		return nil
	}
	if caseID != "" {
		if err := s.o.Channels.LinkIn(ctx, tx, city, message, "", caseID); err != nil {
			return err
		}
	}
	_, err := s.o.Channels.ReplyIn(ctx, tx, robot(), channel.Answering{City: city, Message: message, Text: said, Key: "wechat:" + key, Case: caseID})
	return err
}

// fetching is the job that brings a picture or a recording here while WeChat keeps it, which is three days.
type fetching struct {
	User    string `json:"user"`
	Account string `json:"account"`
	Media   string `json:"media"`
	Form    string `json:"form"` // image, voice
	Message string `json:"message"`
}

// Kind names the job.
func (fetching) Kind() string { return "wechat.media" }

// fetch keeps what was sent: a picture with the open case, a recording with the message that a seat listens to. Something
// that is not what it claims to be is refused, and the resident hears so.
func (s *Service) fetch(ctx context.Context, j jobs.Job, f fetching) error {
	a, err := s.account(ctx, j.City, f.Account)
	if err != nil {
		return err
	}
	kept, err := s.download(ctx, a, f.Media, f.Form)
	if fault.Is(err, fault.Invalid) {
		return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
			return s.reply(ctx, tx, j.City, f.Message, "media:"+f.Media, "", text.T(text.ZH, "wechat.bad_"+f.Form))
		})
	}
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		u, err := findUser(ctx, tx, j.City, f.User)
		if err != nil {
			return err
		}
		subject, caseID := "message:"+f.Message, ""
		c, ok, err := s.openCase(ctx, tx, u)
		if err != nil {
			return err
		}
		if ok {
			subject, caseID = c.Subject(), c.ID
		}
		have, err := blob.Of(ctx, tx, j.City, subject)
		if err != nil {
			return err
		}
		for _, b := range have {
			if b.SHA256 == kept.SHA256() {
				return nil // the job ran before
			}
		}
		if _, err := s.o.Blobs.SaveIn(ctx, tx, visitor(), kept.For(subject)); err != nil {
			return err
		}
		return s.o.Channels.LinkIn(ctx, tx, j.City, f.Message, "", caseID)
	})
}

// download fetches media and has its content looked at.
func (s *Service) download(ctx context.Context, a *Account, media, kind string) (blob.Stored, error) {
	b, err := s.o.Client.download(ctx, a, media)
	if code := refused(err); code != 0 && !later(err) {
		return blob.Stored{}, fault.Wrap(err, fault.Invalid, "wechat.bad_media")
	}
	if err != nil {
		return blob.Stored{}, err
	}
	purpose, name := blob.Photo, "wechat.jpg"
	if kind == "voice" {
		purpose, name = blob.Voice, "wechat.amr"
	}
	return s.o.Blobs.Keep(ctx, blob.Upload{City: a.City, Purpose: purpose, Name: name, Reader: bytes.NewReader(b)})
}

// photosOf fetches the pictures of a conversation before its case is opened; one that cannot be kept is left out.
func (s *Service) photosOf(ctx context.Context, city int, o opening) ([]blob.Stored, error) {
	type talk struct {
		u user
		n notes
	}
	t, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (talk, error) {
		u, err := findUser(ctx, tx, city, o.User)
		if err != nil {
			return talk{}, err
		}
		t := talk{u: u}
		err = s.unseal(ctx, tx, u, o.Notes, &t.n)
		return t, err
	})
	if err != nil || len(t.n.Photos) == 0 {
		return nil, err
	}
	accounts, err := s.Accounts(ctx, city)
	if err != nil {
		return nil, err
	}
	var out []blob.Stored
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, a := range accounts {
		if a.ID != t.u.AppID {
			continue
		}
		for _, m := range t.n.Photos {
			kept, err := s.download(ctx, a, m, "image")
			if fault.Is(err, fault.Invalid) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, kept)
		}
	}
	return out, nil
}
