package wechat

import (
	"context"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// The bounds of keeping an access token.
const (
	tokenSpare = 2 * time.Minute  // a token this near its end is renewed
	tokenLease = 15 * time.Second // for which one process renews it
	forceEvery = time.Minute      // WeChat refuses to force a new one more often
	tokenWait  = 100 * time.Millisecond
)

// token gives an account's access token, which all processes share; one of them renews it and the others wait. A token that
// WeChat just refused (stale) is not given again: first WeChat is asked which one holds, and only when it names the stale
// one is a new one forced.
func (s *Service) token(ctx context.Context, a *Account, stale string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenLease)
	defer cancel()
	for {
		row, mine, err := s.leaseToken(ctx, a, stale)
		switch {
		case err != nil:
			return "", err
		case mine:
			return s.renewToken(ctx, a, row, stale)
		}
		if have, ok := s.openToken(a, row); ok && have != stale {
			return have, nil
		}
		select {
		case <-ctx.Done():
			return "", fault.Wrap(ctx.Err(), fault.Down, "wechat.down")
		case <-time.After(tokenWait):
		}
	}
}

func (s *Service) openToken(a *Account, row tokenRow) (string, bool) {
	if row.Token == "" || row.Expires <= s.now().Add(tokenSpare).UnixMilli() {
		return "", false
	}
	plain, err := s.o.Ring.Unwrap(row.Token, boundToken(a))
	return string(plain), err == nil
}

func boundToken(a *Account) string { return "wechat token " + a.ID }

// leaseToken gives the row as it stands, and whether this process is the one to renew it.
func (s *Service) leaseToken(ctx context.Context, a *Account, stale string) (tokenRow, bool, error) {
	row, ok, err := s.readToken(ctx, a)
	if err != nil {
		return row, false, err
	}
	if have, good := s.openToken(a, row); ok && good && have != stale {
		return row, false, nil
	}
	now := s.now().UnixMilli()
	if ok && row.Lease > now {
		return row, false, nil
	}
	return s.takeLease(ctx, a, row, ok, now)
}

func (s *Service) takeLease(ctx context.Context, a *Account, row tokenRow, known bool, now int64) (tokenRow, bool, error) {
	mine, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) {
		next := row
		next.City, next.AppID, next.Lease = a.City, a.ID, now+tokenLease.Milliseconds()
		if known {
			return updateToken(ctx, tx, next)
		}
		next.Version = 1
		n, err := db.Exec(ctx, tx, `INSERT INTO wechat_token (city_id, app_id, token, expires_ms, lease_ms, forced_ms, version)
			VALUES ($1, $2, '', 0, $3, 0, 1) ON CONFLICT DO NOTHING`, next.City, next.AppID, next.Lease)
		return n == 1, err
	})
	if err != nil || !mine {
		return row, false, err
	}
	row, _, err = s.readToken(ctx, a)
	return row, err == nil, err
}

func (s *Service) readToken(ctx context.Context, a *Account) (tokenRow, bool, error) {
	type found struct {
		row tokenRow
		ok  bool
	}
	f, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (found, error) {
		row, ok, err := findToken(ctx, tx, a.City, a.ID)
		return found{row, ok}, err
	})
	return f.row, f.ok, err
}

// renewToken asks WeChat for the token and lets go of the lease, also when WeChat does not answer.
func (s *Service) renewToken(ctx context.Context, a *Account, row tokenRow, stale string) (string, error) {
	g, err := s.o.Client.stableToken(ctx, a, false)
	if err == nil && g.Token == stale {
		now := s.now().UnixMilli()
		if now-row.Forced < forceEvery.Milliseconds() {
			err = fault.New(fault.Down, "wechat.down")
		} else {
			row.Forced = now
			g, err = s.o.Client.stableToken(ctx, a, true)
		}
	}
	row.Lease = 0
	if err == nil {
		row.Token, row.Expires = s.o.Ring.Wrap([]byte(g.Token), boundToken(a)), s.now().Add(time.Duration(g.Expires)*time.Second).UnixMilli()
	}
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenLease)
	defer cancel()
	if _, kept := db.Write(keep, s.o.DB, func(tx *db.Tx) (bool, error) { return updateToken(keep, tx, row) }); err == nil {
		err = kept
	}
	return g.Token, err
}
