package test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/staff"
)

const (
	payCity   = 990100
	paySeason = "2025-2026"
	payable   = 450 // households of the stopped station: their claims are confirmed by the determination
	copies    = 24  // further claims per household, open or refused
)

// purse is an installation whose season is settled and paid out by the built binary, which is killed meanwhile.
type purse struct {
	victim
	database string // postgres://…; empty for SQLite
	head     string // a key of the authority
	company  string // a key of the company that pays
	d        *db.DB // looks at the tables from outside
}

func (p *purse) fatal(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// newPurse makes a city in which one station stood still for three days, and many other claims.
func newPurse(ctx context.Context, t *testing.T, database string) *purse {
	t.Helper()
	p := &purse{victim: victim{t: t, data: t.TempDir()}, database: database}
	if database != "" {
		p.more = []string{"--database", database}
	}
	cfg := config.Config{Data: p.data, Database: database, Cities: []int{payCity}}.WithDefaults()
	clock := func() civil.Instant { return civil.On(civil.NewDate(2026, 4, 1), 9, 0) }
	a, err := app.New(ctx, cfg, app.Options{Clock: clock, Fast: true})
	p.fatal(err)
	p.fatal(p.households(ctx, a))
	p.fatal(p.stopped(ctx, a))
	p.fatal(p.multiply(ctx, a))
	p.fatal(p.keys(ctx, a))
	p.fatal(a.Close())
	p.look(ctx)
	return p
}

func (p *purse) look(ctx context.Context) {
	p.t.Helper()
	o := db.Options{URL: p.database, Conns: 2}
	if p.database == "" {
		o.File = config.Config{Data: p.data}.SQLiteFile()
	}
	d, err := db.Open(ctx, o)
	p.fatal(err)
	p.d = d
	p.t.Cleanup(func() { d.Close() })
}

func (p *purse) households(ctx context.Context, a *app.App) error {
	var homes, bills strings.Builder
	homes.WriteString("户号,小区,楼号,单元,房号,户主,电话,面积,价格类别\n")
	bills.WriteString("户号,采暖期,应收,实收\n")
	for i := range payable {
		fmt.Fprintf(&homes, "H%04d,阳光花园,%d,%d,%d,王小明,138%08d,%d,居民\n", i, 1+i/60, 1+i/20%3, 101+i%20, i, 60+i%90)
		fmt.Fprintf(&bills, "H%04d,%s,%d.37,%d.37\n", i, paySeason, (60+i%90)*24, (60+i%90)*24)
	}
	for _, l := range []struct{ kind, version, csv string }{
		{"companies", "2025", "企业代码,企业名称\nC1,暖城热力\n"},
		{"communities", "2025", "小区,区县,企业,热力站\n阳光花园,南湖区,C1,S1\n"},
		{"households", "", homes.String()},
		{"fees", "", bills.String()},
	} {
		in := register.Request{City: payCity, Kind: place.Kind(l.kind), Version: l.version, From: civil.NewDate(2025, 9, 1), Source: "test", Name: "list.csv"}
		if r, err := a.Register.Import(ctx, actor.SystemFor("import", actor.Command), in, strings.NewReader(l.csv)); err != nil {
			return fmt.Errorf("import %s: %w: %+v", l.kind, err, r.Faults)
		}
	}
	return nil
}

// stopped has the authority determine that a station stood still, and lets every household of it say where its money goes.
func (p *purse) stopped(ctx context.Context, a *app.App) error {
	by := actor.SystemFor("test", actor.Command)
	from := civil.On(civil.NewDate(2026, 1, 10), 0, 0)
	area, err := a.Settle.ProposeArea(ctx, by, settle.AreaInput{
		City: payCity, Season: paySeason, Kind: settle.AreaStop, Station: "S1", From: from, To: from.Add(72 * time.Hour),
		Evidence: []settle.Evidence{{Source: settle.CompanyLog, At: from, Note: "泵停"}, {Source: settle.FirstCall, At: from}},
	})
	if err != nil {
		return err
	}
	if _, err = a.Settle.Determine(ctx, by, settle.DetermineInput{City: payCity, ID: area.ID, From: area.From, To: area.To, Version: area.Version}); err != nil {
		return err
	}
	if err := a.Settle.SpreadArea(ctx, payCity, area.ID); err != nil {
		return err
	}
	return db.Do(ctx, a.DB, func(tx *db.Tx) error {
		for i := range payable {
			in := settle.PayeeInput{City: payCity, Account: fmt.Sprintf("H%04d", i), Kind: settle.Holder, Name: "王小明", Bank: "暖城银行", BankNo: fmt.Sprintf("45635101%05d", i), Choice: settle.ByBank}
			if i%50 == 7 {
				in.Choice, in.Consent = settle.ByCredit, true
			}
			if _, err := a.Settle.SetPayeeIn(ctx, tx, by, in); err != nil {
				return err
			}
		}
		return nil
	})
}

// multiply copies the claims, so that a settlement takes a while: open ones, and some that the authority refused.
func (p *purse) multiply(ctx context.Context, a *app.App) error {
	columns := "city_id, season, account, state, company, station, area, district, community, facts, basis, basis_mark, home, status, amount_fen, counted, missing, " +
		"pay_by, counted_to, running, confirmed_fen, confirmed_at, bearer, claimed_at, changed_at, version"
	return db.Do(ctx, a.DB, func(tx *db.Tx) error {
		for n := range copies {
			state, confirmed := "'open'", "NULL"
			if n%5 == 0 {
				state = "'refused'"
			}
			from := strings.NewReplacer("account,", "account || $3,", " state,", " "+state+",", "confirmed_fen, confirmed_at", confirmed+", "+confirmed).Replace(columns)
			_, err := db.Exec(ctx, tx, `INSERT INTO refund_claim (`+columns+`) SELECT `+from+` FROM refund_claim WHERE city_id = $1 AND season = $2 AND account LIKE 'H____'`,
				payCity, paySeason, fmt.Sprintf("-%02d", n))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *purse) keys(ctx context.Context, a *app.App) error {
	by := actor.SystemFor("test", actor.Command)
	for _, k := range []struct {
		to    *string
		org   string
		grant actor.Grant
	}{
		{&p.head, "", actor.Grant{Role: actor.RoleSectionHead, City: payCity}},
		{&p.company, "C1", actor.Grant{Role: actor.RoleCompany, City: payCity, Companies: []string{"C1"}}},
	} {
		made, err := a.Staff.CreateKey(ctx, by, staff.NewKey{City: payCity, Name: "test", Org: k.org, Grants: []actor.Grant{k.grant}})
		if err != nil {
			return fmt.Errorf("a key of %s: %w", k.org, err)
		}
		*k.to = made.Secret
	}
	return nil
}

// settled is what `rehu settle --json` prints.
type settled struct {
	ID      string       `json:"id"`
	Version int64        `json:"version"`
	State   string       `json:"state"`
	Claims  int64        `json:"claims"`
	Total   settle.Total `json:"total"`
	Books   settle.Books `json:"books"`
}

type settling struct {
	*exec.Cmd
	out, log bytes.Buffer
}

func (p *purse) settle(ctx context.Context) *settling {
	p.t.Helper()
	s := &settling{}
	args := []string{"settle", "--data", p.data, "--city", fmt.Sprint(payCity), "--season", paySeason, "--json"}
	if p.database != "" {
		args = append(args, "--database", p.database)
	}
	s.Cmd = exec.CommandContext(ctx, binary, args...)
	s.Stdout, s.Stderr = &s.out, &s.log
	p.fatal(s.Start())
	return s
}

// done waits for a settlement that nobody disturbs.
func (p *purse) done(s *settling) settled {
	p.t.Helper()
	if err := s.Wait(); err != nil {
		p.t.Fatalf("settle: %v\n%s", err, s.log.String())
	}
	var x settled
	p.fatal(json.Unmarshal(s.out.Bytes(), &x))
	return x
}

// until waits until a number in the tables reaches at least so many, or the process has ended.
func (p *purse) until(ctx context.Context, least int64, ended <-chan error, query string, args ...any) (over bool) {
	p.t.Helper()
	for {
		n, err := db.Read(ctx, p.d, func(tx *db.Tx) (int64, error) { return db.One[int64](ctx, tx, query, args...) })
		p.fatal(err)
		if n >= least {
			return false
		}
		select {
		case <-ended:
			return true
		case <-time.After(time.Millisecond):
		}
	}
}

const written = `SELECT COALESCE(MAX(claims), 0) FROM settlement WHERE city_id = $1 AND state = 'assessing'`

// kill ends a settlement with no warning once it has written so many lines.
func (p *purse) kill(ctx context.Context, at int64, all ...*settling) {
	p.t.Helper()
	ended := make(chan error, len(all))
	for _, s := range all {
		go func() { ended <- s.Wait() }()
	}
	lost := 0
	for p.until(ctx, at, ended, written, payCity) { // of two that start at once, one is told that the other settles
		if lost++; lost == len(all) {
			for _, s := range all {
				p.t.Errorf("a settlement ended before %d lines were written: %s%s", at, s.out.String(), s.log.String())
			}
			return
		}
	}
	for _, s := range all {
		_ = s.Process.Signal(syscall.SIGKILL)
	}
	for range len(all) - lost {
		<-ended
	}
	for _, s := range all {
		if c := s.ProcessState.ExitCode(); c != -1 && c != 5 {
			p.t.Errorf("a settler ended with %d, want killed or told of the other: %s", c, s.log.String())
		}
	}
}

// call asks the running server; the answer may be lost when it is killed.
func (p *purse) call(ctx context.Context, key, method, path, idempotency string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("%s/api/v1/cities/%d%s", p.URL, payCity, path), bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", idempotency)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(a.Body)
	if err != nil {
		return err
	}
	if a.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %d %s", method, path, a.StatusCode, answer)
	}
	if raw, ok := into.(*[]byte); ok {
		*raw = answer
		return nil
	}
	return json.Unmarshal(answer, into)
}

// strike kills the server with no warning once a number in the tables is reached, while a request is under way.
func (p *purse) strike(ctx context.Context, least int64, query string, request func() error) {
	p.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- request() }()
	if p.until(ctx, least, ended, query, payCity) {
		p.t.Errorf("the request was answered before %d of %s", least, query)
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	// What the dead server had begun is free again when its lease is over, which nobody wants to wait for here.
	p.fatal(db.Do(ctx, p.d, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `UPDATE job SET lease_until = 0 WHERE state = 'running'`)
		return err
	}))
	p.start(ctx)
}

const (
	ordered = `SELECT COUNT(*) FROM payout WHERE city_id = $1`
	inFile  = `SELECT COUNT(*) FROM payout WHERE city_id = $1 AND state = 'ordered'`
	paid    = `SELECT COUNT(*) FROM payout WHERE city_id = $1 AND state = 'paid' AND method = 'bank'`
	given   = `SELECT COUNT(*) FROM settlement WHERE city_id = $1 AND state = 'ordered'`
)

// payOut approves a settlement and pays it through the running server. Each of its three steps is cut short where struck.
func (p *purse) payOut(ctx context.Context, x settled, struck bool) {
	p.t.Helper()
	// step runs a request, which a client repeats under the same key after the server was killed in the middle of it.
	step := func(query string, request func() error) {
		if struck {
			p.strike(ctx, 1+rand.Int64N(payable/2), query, request)
		}
		p.fatal(request())
	}
	p.start(ctx)
	var raw []byte
	approve := func() error {
		return p.call(ctx, p.head, http.MethodPost, "/settlements/"+x.ID+"/approve", "approve", map[string]any{"version": x.Version}, &raw)
	}
	p.fatal(approve())
	if struck {
		forever := make(chan struct{})
		defer close(forever)
		p.strike(ctx, 1+rand.Int64N(payable/2), ordered, func() error { <-forever; return nil })
	}
	p.until(ctx, 1, nil, given, payCity)
	var batch settle.Batch
	step(inFile, func() error {
		return p.call(ctx, p.company, http.MethodPost, "/refunds/"+paySeason+"/batches", "batch", map[string]any{"company": "C1"}, &batch)
	})
	var file, again []byte
	p.fatal(p.call(ctx, p.company, http.MethodGet, "/pay-batches/"+batch.ID+"/file", "", nil, &file))
	answer := map[string]any{"name": "result.csv", "content": p.answer(file)}
	var r settle.ResultReport
	step(paid, func() error {
		return p.call(ctx, p.company, http.MethodPost, "/pay-batches/"+batch.ID+"/result", "result", answer, &r)
	})
	p.fatal(p.call(ctx, p.company, http.MethodPost, "/pay-batches/"+batch.ID+"/result", "once more", answer, &r))
	if r.Paid != 0 || r.Failed != 0 || r.Left != 0 || int64(r.Unchanged) != batch.Rows {
		p.t.Errorf("the bank's answer once more: %+v", r)
	}
	p.fatal(p.call(ctx, p.company, http.MethodGet, "/pay-batches/"+batch.ID+"/file", "", nil, &again))
	if !bytes.Equal(file, again) {
		p.t.Error("the bank file is another one after the money went out")
	}
	if err := p.call(ctx, p.company, http.MethodPost, "/refunds/"+paySeason+"/batches", "another", map[string]any{"company": "C1"}, &batch); err == nil {
		p.t.Errorf("a second file over %s", batch.Total)
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// answer is what the bank says to a file: all of it went out, but for every fortieth.
func (p *purse) answer(file []byte) string {
	p.t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff")))).ReadAll()
	p.fatal(err)
	var b strings.Builder
	b.WriteString("业务编号,处理结果,银行流水号,支付时间,金额,失败原因\n")
	for i, r := range rows[1 : len(rows)-1] {
		if i%40 == 39 {
			fmt.Fprintf(&b, "%s,失败,,,%s,账号不存在\n", r[0], r[4])
		} else {
			fmt.Fprintf(&b, "%s,成功,B-%s,2026-04-03 10:00,%s,\n", r[0], r[0], r[4])
		}
	}
	return b.String()
}

// account is everything that money follows from, in words that two installations can be compared by.
type account struct {
	Books                      settle.Books
	Total                      string
	Settlements, Files, Claims int64
	Lines, Orders              []string
	Sealed, Told               map[string]int64
}

func (p *purse) account(ctx context.Context, x settled) account {
	p.t.Helper()
	t := x.Total
	out := account{Books: x.Books, Claims: x.Claims, Total: fmt.Sprintf("%d/%d: %s = %s refused + %s before + %s payable + %s open", t.Confirmed, t.Claims, t.Amount, t.Refused, t.Prior, t.Payable, t.Open)}
	type pair struct {
		Name string `db:"name"`
		N    int64  `db:"n"`
	}
	_, err := db.Read(ctx, p.d, func(tx *db.Tx) (none struct{}, err error) {
		count := func(query string) int64 {
			n, e := db.One[int64](ctx, tx, query, payCity)
			err = errors.Join(err, e)
			return n
		}
		rows := func(query string) []string {
			list, e := db.List[string](ctx, tx, query, payCity)
			err = errors.Join(err, e)
			return list
		}
		pairs := func(query string) map[string]int64 {
			m := map[string]int64{}
			list, e := db.List[pair](ctx, tx, query, payCity)
			err = errors.Join(err, e)
			for _, x := range list {
				m[x.Name] = x.N
			}
			return m
		}
		out.Settlements = count(`SELECT COUNT(*) FROM settlement WHERE city_id = $1`)
		out.Files = count(`SELECT COUNT(*) FROM pay_batch WHERE city_id = $1 AND state = 'answered'`)
		out.Lines = rows(`SELECT account || ' ' || amount_fen || ' ' || refused_fen || ' ' || prior_fen || ' ' || payable_fen || ' ' || open_fen AS line
			FROM settle_line WHERE city_id = $1 ORDER BY account, settlement`)
		out.Orders = rows(`SELECT account || ' ' || amount_fen || ' ' || method || ' ' || state || ' ' || bank_ref || ' ' || reason AS line FROM payout WHERE city_id = $1 ORDER BY account, settlement`)
		// Each act of paying is sealed once in the chain of its household, and each household is told once.
		out.Sealed = pairs(`SELECT act AS name, COUNT(*) AS n FROM entry WHERE city_id = $1 AND act IN ('payout.order', 'payout.result', 'payout.answered') GROUP BY act`)
		out.Told = pairs(`SELECT template AS name, COUNT(*) AS n FROM notice WHERE city_id = $1 AND template = 'settle.sms_refund' GROUP BY template`)
		return none, err
	})
	p.fatal(err)
	return out
}

// TestKilledWhileSettlingAndPaying kills settlers, two at once among them, in the middle of assessing and of publishing, and
// the server in the middle of ordering, of gathering the bank file and of taking the bank's answer in. What comes out is to
// the fen what an installation comes to that nobody disturbed.
func TestKilledWhileSettlingAndPaying(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	defer stop()
	calm := newPurse(ctx, t, "")
	engines := map[string]*purse{"sqlite": calm.copied(ctx)}
	x := calm.done(calm.settle(ctx))
	calm.payOut(ctx, x, false)
	want := calm.account(ctx, calm.done(calm.settle(ctx)))
	if b := want.Books; !b.Balanced() || b.Paid == 0 || b.Owed == 0 || b.Open == 0 || b.Refused == 0 || len(want.Orders) != payable || want.Claims != payable*(copies+1) {
		t.Fatalf("the calm run: %+v, %d orders, %d claims", b, len(want.Orders), want.Claims)
	}
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
			defer stop()
			p := engines[name]
			switch {
			case p != nil:
				p.t = t
			case dbtest.Quick():
				return
			default:
				p = newPurse(ctx, t, dbtest.EmptyPostgresURL(t))
			}
			p.kill(ctx, 1+rand.Int64N(want.Claims/2), p.settle(ctx))
			p.kill(ctx, want.Claims/2+rand.Int64N(want.Claims/4), p.settle(ctx), p.settle(ctx))
			p.kill(ctx, want.Claims, p.settle(ctx)) // all is written, and nothing is seen yet
			x := p.done(p.settle(ctx))
			if again := p.done(p.settle(ctx)); again.ID != x.ID {
				t.Errorf("settled again: %s, then %s", x.ID, again.ID)
			}
			p.payOut(ctx, x, true)
			got := p.account(ctx, p.done(p.settle(ctx)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("not what comes out undisturbed:\n%s", diff)
			}
		})
	}
}

// copied is the same installation once more.
func (p *purse) copied(ctx context.Context) *purse {
	p.t.Helper()
	q := &purse{victim: victim{t: p.t, data: filepath.Join(p.t.TempDir(), "copy")}, head: p.head, company: p.company}
	p.fatal(p.d.Close())
	p.fatal(os.CopyFS(q.data, os.DirFS(p.data)))
	p.fatal(os.Chmod(filepath.Join(q.data, "keys.json"), 0o600)) // a copy is everybody's, and the program refuses such a keyring
	p.look(ctx)
	q.look(ctx)
	return q
}
