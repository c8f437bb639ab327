package wechat

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// user is somebody who writes to an account or logged in to the mini program. Openid is sealed for person.
type user struct {
	City     int           `db:"city_id"`
	ID       string        `db:"id"`
	AppID    string        `db:"app_id"`
	App      App           `db:"app"`
	Person   string        `db:"person"`
	OpenID   string        `db:"openid"`
	Resident string        `db:"resident"` // whose telephone was proved; empty: nobody's
	Follows  bool          `db:"follows"`
	Muted    bool          `db:"muted"` // wants no messages by WeChat
	Created  civil.Instant `db:"created_at"`
	Written  civil.Instant `db:"written_at"`
	Version  int64         `db:"version"`
}

func findUser(ctx context.Context, tx *db.Tx, city int, id string) (user, error) {
	return db.One[user](ctx, tx, "SELECT "+db.Columns[user]("")+" FROM wechat_user WHERE city_id = $1 AND id = $2", city, id)
}

func userOfPerson(ctx context.Context, tx *db.Tx, city int, person string) (user, bool, error) {
	return db.Maybe[user](ctx, tx, "SELECT "+db.Columns[user]("")+" FROM wechat_user WHERE city_id = $1 AND person = $2", city, person)
}

// usersOf are the accounts in WeChat of a resident, mini programs first: their messages need no template message right.
func usersOf(ctx context.Context, tx *db.Tx, city int, resident string) ([]user, error) {
	return db.List[user](ctx, tx, "SELECT "+db.Columns[user]("")+" FROM wechat_user WHERE city_id = $1 AND resident = $2 ORDER BY app, id", city, resident)
}

func updateUser(ctx context.Context, tx *db.Tx, u user) error {
	return db.Guarded(ctx, tx, `UPDATE wechat_user SET resident = $4, follows = $5, written_at = $6, muted = $7, version = version + 1
		WHERE city_id = $1 AND id = $2 AND version = $3`, u.City, u.ID, u.Version, u.Resident, u.Follows, instant(u.Written), u.Muted)
}

func instant(i civil.Instant) any {
	if i.IsZero() {
		return nil
	}
	return i
}

// pushed is a message that was answered.
type pushed struct {
	City     int           `db:"city_id"`
	Key      string        `db:"key"`
	Proof    string        `db:"proof"`
	User     string        `db:"user_id"`
	Kind     Kind          `db:"kind"`
	Reply    string        `db:"reply"`
	Received civil.Instant `db:"received_at"`
}

func findPush(ctx context.Context, tx *db.Tx, city int, key string) (pushed, bool, error) {
	return db.Maybe[pushed](ctx, tx, "SELECT "+db.Columns[pushed]("")+" FROM wechat_push WHERE city_id = $1 AND key = $2", city, key)
}

// insertPush keeps an answer. The same signature under another message is a forgery: a signature of the address alone
// covers no body, so it is good for one message only.
func insertPush(ctx context.Context, tx *db.Tx, p pushed) error {
	other, ok, err := db.Maybe[string](ctx, tx, "SELECT key FROM wechat_push WHERE city_id = $1 AND proof = $2", p.City, p.Proof)
	if err != nil {
		return err
	}
	if ok && other != p.Key {
		return denied()
	}
	err = db.Insert(ctx, tx, "wechat_push", p)
	if db.IsUnique(err) {
		return fmt.Errorf("keep an answer: %w", db.ErrRetry) // the same message in another request: its answer is taken then
	}
	return err
}

func sweepPushes(ctx context.Context, tx *db.Tx, city int, before civil.Instant) (int64, error) {
	return db.Exec(ctx, tx, `DELETE FROM wechat_push WHERE city_id = $1 AND key IN
		(SELECT key FROM wechat_push WHERE city_id = $1 AND received_at < $2 ORDER BY received_at LIMIT 500)`, city, before)
}

// consent is a resident's leave for one message.
type consent struct {
	City     int           `db:"city_id"`
	ID       string        `db:"id"`
	User     string        `db:"user_id"`
	Template string        `db:"template_id"`
	Tap      string        `db:"tap"`
	Given    civil.Instant `db:"given_at"`
	SpentBy  string        `db:"spent_by"`
	SpentAt  civil.Instant `db:"spent_at"`
}

func openConsents(ctx context.Context, tx *db.Tx, city int, userID, template string) ([]string, error) {
	return db.List[string](ctx, tx, `SELECT id FROM wechat_consent WHERE city_id = $1 AND user_id = $2 AND template_id = $3 AND spent_by = ''
		ORDER BY id`, city, userID, template)
}

func tapped(ctx context.Context, tx *db.Tx, c consent) (bool, error) {
	_, ok, err := db.Maybe[string](ctx, tx, "SELECT id FROM wechat_consent WHERE city_id = $1 AND user_id = $2 AND template_id = $3 AND tap = $4",
		c.City, c.User, c.Template, c.Tap)
	return ok, err
}

// spend takes a consent for a message; false when another message has it already.
func spend(ctx context.Context, tx *db.Tx, city int, id, by string) (bool, error) {
	n, err := db.Exec(ctx, tx, "UPDATE wechat_consent SET spent_by = $3, spent_at = $4 WHERE city_id = $1 AND id = $2 AND spent_by = ''", city, id, by, tx.Now)
	return n == 1, err
}

// giveBack frees a consent that WeChat did not use.
func giveBack(ctx context.Context, tx *db.Tx, city int, id, by string) error {
	_, err := db.Exec(ctx, tx, "UPDATE wechat_consent SET spent_by = '', spent_at = NULL WHERE city_id = $1 AND id = $2 AND spent_by = $3", city, id, by)
	return err
}

// dropConsents ends the consents of a template that the resident took back.
func dropConsents(ctx context.Context, tx *db.Tx, city int, userID, template string) error {
	_, err := db.Exec(ctx, tx, `UPDATE wechat_consent SET spent_by = 'dropped', spent_at = $4
		WHERE city_id = $1 AND user_id = $2 AND template_id = $3 AND spent_by = ''`, city, userID, template, tx.Now)
	return err
}

// sendState is where a message stands.
type sendState string

const (
	trying sendState = "trying" // handed over; as long as it stays so, nobody knows whether WeChat took it
	taken  sendState = "taken"
	turned sendState = "refused" // WeChat refused it: another way is free
)

// sendRow is a template or subscription message by its key.
type sendRow struct {
	City     int           `db:"city_id"`
	Key      string        `db:"key"`
	User     string        `db:"user_id"`
	AppID    string        `db:"app_id"`
	Template string        `db:"template_id"`
	Consent  string        `db:"consent_id"`
	State    sendState     `db:"state"`
	Message  string        `db:"message"` // WeChat's id
	Why      string        `db:"why"`
	Tried    int64         `db:"tried_ms"`
	Attempts int           `db:"attempts"`
	Created  civil.Instant `db:"created_at"`
	Version  int64         `db:"version"`
}

func findSend(ctx context.Context, tx *db.Tx, city int, key string) (sendRow, bool, error) {
	return db.Maybe[sendRow](ctx, tx, "SELECT "+db.Columns[sendRow]("")+" FROM wechat_send WHERE city_id = $1 AND key = $2", city, key)
}

func sendOfMessage(ctx context.Context, tx *db.Tx, city int, app, message string) (sendRow, bool, error) {
	return db.Maybe[sendRow](ctx, tx, "SELECT "+db.Columns[sendRow]("")+" FROM wechat_send WHERE city_id = $1 AND app_id = $2 AND message = $3 AND message <> ''",
		city, app, message)
}

func updateSend(ctx context.Context, tx *db.Tx, r sendRow) error {
	return db.Guarded(ctx, tx, `UPDATE wechat_send SET user_id = $4, app_id = $5, template_id = $6, consent_id = $7, state = $8, message = $9, why = $10,
		tried_ms = $11, attempts = $12, version = version + 1 WHERE city_id = $1 AND key = $2 AND version = $3`,
		r.City, r.Key, r.Version, r.User, r.AppID, r.Template, r.Consent, r.State, r.Message, r.Why, r.Tried, r.Attempts)
}

// report is WeChat's word on a message.
type report struct {
	City      int    `db:"city_id"`
	AppID     string `db:"app_id"`
	Message   string `db:"message"`
	User      string `db:"user_id"`
	Template  string `db:"template_id"`
	Delivered bool   `db:"delivered"`
	Why       string `db:"why"`
	Came      int64  `db:"came_ms"`
	ClaimedBy string `db:"claimed_by"`
}

func findReport(ctx context.Context, tx *db.Tx, city int, app, message string) (report, bool, error) {
	return db.Maybe[report](ctx, tx, "SELECT "+db.Columns[report]("")+" FROM wechat_report WHERE city_id = $1 AND app_id = $2 AND message = $3", city, app, message)
}

// freeReport is a report on a message of a user since a moment that no message of ours has yet.
func freeReport(ctx context.Context, tx *db.Tx, r sendRow) (report, bool, error) {
	return db.Maybe[report](ctx, tx, "SELECT "+db.Columns[report]("")+` FROM wechat_report WHERE city_id = $1 AND user_id = $2 AND came_ms >= $3 AND claimed_by = ''
		AND app_id = $4 AND (template_id = $5 OR template_id = '') ORDER BY came_ms LIMIT 1`, r.City, r.User, r.Tried, r.AppID, r.Template)
}

func claimReport(ctx context.Context, tx *db.Tx, r report, by string) (bool, error) {
	n, err := db.Exec(ctx, tx, "UPDATE wechat_report SET claimed_by = $4 WHERE city_id = $1 AND app_id = $2 AND message = $3 AND claimed_by = ''",
		r.City, r.AppID, r.Message, by)
	return n == 1, err
}

// tokenRow is an account's access token, sealed, and who renews it. Its times are machine time.
type tokenRow struct {
	City    int    `db:"city_id"`
	AppID   string `db:"app_id"`
	Token   string `db:"token"`
	Expires int64  `db:"expires_ms"`
	Lease   int64  `db:"lease_ms"`
	Forced  int64  `db:"forced_ms"`
	Version int64  `db:"version"`
}

func findToken(ctx context.Context, tx *db.Tx, city int, app string) (tokenRow, bool, error) {
	return db.Maybe[tokenRow](ctx, tx, "SELECT "+db.Columns[tokenRow]("")+" FROM wechat_token WHERE city_id = $1 AND app_id = $2", city, app)
}

func updateToken(ctx context.Context, tx *db.Tx, r tokenRow) (bool, error) {
	n, err := db.Exec(ctx, tx, `UPDATE wechat_token SET token = $4, expires_ms = $5, lease_ms = $6, forced_ms = $7, version = version + 1
		WHERE city_id = $1 AND app_id = $2 AND version = $3`, r.City, r.AppID, r.Version, r.Token, r.Expires, r.Lease, r.Forced)
	return n == 1, err
}

// ticketRow is a link that logs in, by the hash of its secret.
type ticketRow struct {
	City    int    `db:"city_id"`
	Hash    string `db:"hash"`
	User    string `db:"user_id"`
	Purpose string `db:"purpose"`
	Expires int64  `db:"expires_ms"`
	Used    int64  `db:"used_ms"`
}

func findTicket(ctx context.Context, tx *db.Tx, city int, hash string) (ticketRow, bool, error) {
	return db.Maybe[ticketRow](ctx, tx, "SELECT "+db.Columns[ticketRow]("")+" FROM wechat_ticket WHERE city_id = $1 AND hash = $2", city, hash)
}

// useTicket spends a ticket; false when it was spent or its time is over.
func useTicket(ctx context.Context, tx *db.Tx, city int, hash, purpose string, now int64) (bool, error) {
	n, err := db.Exec(ctx, tx, `UPDATE wechat_ticket SET used_ms = $4 WHERE city_id = $1 AND hash = $2 AND purpose = $3 AND used_ms = 0 AND expires_ms > $4`,
		city, hash, purpose, now)
	return n == 1, err
}

func sweepTickets(ctx context.Context, tx *db.Tx, city int, before int64) (int64, error) {
	return db.Exec(ctx, tx, `DELETE FROM wechat_ticket WHERE city_id = $1 AND hash IN
		(SELECT hash FROM wechat_ticket WHERE city_id = $1 AND expires_ms < $2 ORDER BY expires_ms LIMIT 500)`, city, before)
}

// dialogue is where a conversation stands. Data is sealed for the user's person.
type dialogue struct {
	City    int           `db:"city_id"`
	User    string        `db:"user_id"`
	Step    step          `db:"step"`
	Data    string        `db:"data"`
	Touched civil.Instant `db:"touched_at"`
	Version int64         `db:"version"`
}

func findDialogue(ctx context.Context, tx *db.Tx, city int, userID string) (dialogue, bool, error) {
	return db.Maybe[dialogue](ctx, tx, "SELECT "+db.Columns[dialogue]("")+" FROM wechat_dialogue WHERE city_id = $1 AND user_id = $2", city, userID)
}

// putDialogue writes where a conversation stands; two messages at once follow one after the other.
func putDialogue(ctx context.Context, tx *db.Tx, d dialogue) error {
	if d.Version == 0 {
		d.Version = 1
		err := db.Insert(ctx, tx, "wechat_dialogue", d)
		if db.IsUnique(err) {
			return fmt.Errorf("begin a dialogue: %w", db.ErrRetry)
		}
		return err
	}
	return db.Guarded(ctx, tx, `UPDATE wechat_dialogue SET step = $4, data = $5, touched_at = $6, version = version + 1
		WHERE city_id = $1 AND user_id = $2 AND version = $3`, d.City, d.User, d.Version, d.Step, d.Data, d.Touched)
}

func endDialogue(ctx context.Context, tx *db.Tx, d dialogue) error {
	n, err := db.Exec(ctx, tx, "DELETE FROM wechat_dialogue WHERE city_id = $1 AND user_id = $2 AND version = $3", d.City, d.User, d.Version)
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "conflict.version")
	}
	return err
}

// ownCase is a case that was opened from a conversation.
type ownCase struct {
	City  int           `db:"city_id"`
	User  string        `db:"user_id"`
	Case  string        `db:"case_id"`
	Token string        `db:"token"`
	At    civil.Instant `db:"at"`
}

func casesOf(ctx context.Context, tx *db.Tx, city int, userID string, most int) ([]ownCase, error) {
	return db.List[ownCase](ctx, tx, "SELECT "+db.Columns[ownCase]("")+" FROM wechat_case WHERE city_id = $1 AND user_id = $2 ORDER BY at DESC, case_id DESC LIMIT $3",
		city, userID, most)
}

func keepCase(ctx context.Context, tx *db.Tx, c ownCase) error {
	_, err := db.Exec(ctx, tx, "INSERT INTO wechat_case (city_id, user_id, case_id, token, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		c.City, c.User, c.Case, c.Token, c.At)
	return err
}
