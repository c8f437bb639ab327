// Package app puts an installation together: it calls each constructor once, in the order of the architecture, and hands
// the services to whoever opens a door to them. Nothing else in the program knows how the parts are joined.
//
// An installation is a database, a keyring, a place for attachments and the city packs. New leaves all of them checked:
// the schema is this program's, the keyring opens what the database holds, every pack is sound.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/backup"
	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/handover"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/mail"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/staffing"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/weather"
	"github.com/rehu-heat/rehu/internal/webhook"
	"github.com/rehu-heat/rehu/internal/webpush"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/packs"
)

// OIDCReturn is the path that the identity provider sends the browser back to.
const OIDCReturn = "/login/oidc/return"

// Options are what an installation's Config does not say: how this process uses it.
type Options struct {
	Log     *slog.Logger         // nil: nothing is logged
	Machine func() time.Time     // machine time; nil: the machine's
	Clock   func() civil.Instant // business time; nil: the machine's. A demonstration lives in another winter
	Seed    uint64               // of ids, when not zero, so that a simulated history repeats
	Fast    bool                 // a simulated history need not survive a power cut
	Alone   bool                 // no other process may use the same data folder: servers
	Version string               // of this program
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Machine == nil {
		o.Machine = time.Now
	}
	return o
}

// App is an installation that is open.
type App struct {
	Config config.Config
	Log    *slog.Logger
	DB     *db.DB
	Ring   *secret.Ring
	Packs  *citypack.Set
	Runner *jobs.Runner

	Rules     *citypack.Service
	Staff     *staff.Service
	Places    *place.Service
	Residents *resident.Service
	Weather   *weather.Service
	BaseMaps  *basemap.Service
	Fees      *fee.Service
	Territory *territory.Service
	Register  *register.Service
	Clocks    *clock.Ledger
	Cases     *cases.Service
	Dispatch  *dispatch.Service
	Knowledge *knowledge.Service
	Outages   *outage.Service
	Bulletins *bulletin.Service
	Handovers *handover.Service
	Callbacks *callback.Service
	Equipment *equipment.Service
	Measure   *measure.Service
	Findings  *finding.Service
	Settle    *settle.Service
	Exchange  *exchange.Service
	Channels  *channel.Service
	Calls     *call.Service
	Staffing  *staffing.Service
	Webhooks  *webhook.Service
	WeChat    *wechat.Service
	Mail      *mail.Service
	Push      *webpush.Service // nil without a key
	Clues     *clue.Service
	Stats     *stats.Service
	Notices   *notice.Service
	Bundles   *bundle.Service
	Audit     *audit.Service
	Jobs      *jobs.Service
	Blobs     *blob.Service

	o        Options
	gateways map[notice.Channel]notice.Gateway // of messages
	cities   served
	release  func()
}

// New opens an installation, brings its schema up to this program's and joins the services.
func New(ctx context.Context, cfg config.Config, o Options) (*App, error) {
	a, err := open(ctx, cfg, o)
	if err != nil {
		return nil, err
	}
	if err := a.join(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// open reaches what an installation stands on and changes nothing in the database yet.
func open(ctx context.Context, cfg config.Config, o Options) (*App, error) {
	o = o.withDefaults()
	a := &App{Config: cfg, Log: o.Log, o: o, release: func() {}}
	if o.Alone && cfg.Database == "" {
		release, err := lockData(cfg.Data)
		if err != nil {
			return nil, err
		}
		a.release = release
	}
	err := a.reach(ctx)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) reach(ctx context.Context) (err error) {
	where := db.Options{URL: a.Config.Database, Clock: a.o.Clock, Seed: a.o.Seed, Fast: a.o.Fast}
	if where.URL == "" {
		where.File = a.Config.SQLiteFile()
	}
	if a.DB, err = db.Open(ctx, where); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if a.Ring, err = secret.LoadRing(a.Config.Data, a.Config.Keys); err != nil {
		return fmt.Errorf("read the keyring: %w", err)
	}
	store, err := blob.FromConfig(a.Config.Blob)
	if err != nil {
		return fmt.Errorf("open the attachments: %w", err)
	}
	a.Blobs = blob.New(a.DB, store)
	return nil
}

// join checks the database and makes the services.
func (a *App) join(ctx context.Context) (err error) {
	if err := backup.Finished(ctx, a.DB); err != nil {
		return err
	}
	if _, err := a.DB.Migrate(ctx); err != nil {
		return err
	}
	if err := a.verifyRing(ctx); err != nil {
		return err
	}
	if a.Packs, err = LoadPacks(a.Config.Packs); err != nil {
		return err
	}
	a.Rules = citypack.NewService(a.DB, a.Packs, calendar.Embedded())
	if err := a.serveCities(ctx); err != nil {
		return err
	}
	a.Runner = jobs.NewRunner(a.DB, jobs.RunnerOptions{Name: processName(), Log: a.Log, Machine: a.o.Machine, Cities: a.jobCities})
	if err := a.services(); err != nil {
		return err
	}
	a.houseKeeping()
	return nil
}

// services calls each constructor once, in the order of the architecture.
func (a *App) services() (err error) {
	a.Jobs, a.Audit = jobs.New(a.DB), audit.New(a.DB)
	a.Staff, err = staff.New(staff.Options{
		DB: a.DB, Ring: a.Ring, Machine: a.o.Machine, Idle: a.Config.Session.Idle, Life: a.Config.Session.Life, Provider: a.provider(),
		Password: a.passwords(), Blobs: a.Blobs,
	})
	if err != nil {
		return fmt.Errorf("set up staff: %w", err)
	}
	if a.Notices, err = a.notices(); err != nil {
		return fmt.Errorf("set up messages: %w", err)
	}
	a.Places = place.New(a.DB, a.Ring)
	if a.Residents, err = a.residents(); err != nil {
		return fmt.Errorf("set up the residents' hall: %w", err)
	}
	a.Weather, a.BaseMaps = weather.New(a.DB), basemap.New(a.DB)
	a.Fees = fee.New(fee.Options{
		DB: a.DB, Places: a.Places, Rules: a.Rules.RulesIn, Credits: settle.CreditsIn, SetOffs: settle.SetOffsIn, Ring: a.Ring,
		Changed: func(ctx context.Context, tx *db.Tx, by actor.Actor, city int, season string, accounts []string) error {
			return a.Settle.RebaseIn(ctx, tx, by, city, season, accounts)
		},
	})
	a.Territory = territory.NewService(a.DB, a.Places, a.o.Machine)
	a.Territory.Settings = a.attributionSettings
	if a.Clocks, err = clock.New(clock.Options{DB: a.DB, Rules: a.Rules.RulesIn, Jobs: a.Runner}); err != nil {
		return fmt.Errorf("set up the clocks: %w", err)
	}
	a.Rules.OnCalendar = a.Clocks.RecomputeIn
	a.Register = register.New(register.Options{DB: a.DB, Ring: a.Ring, Places: a.Places, Territories: a.Territory})
	if a.Knowledge, err = knowledge.New(knowledge.Options{DB: a.DB, Rules: a.Rules.RulesIn, Notices: a.Notices}); err != nil {
		return fmt.Errorf("set up knowledge: %w", err)
	}
	a.casework()
	if a.Outages, err = a.outages(); err != nil {
		return fmt.Errorf("set up stops of heat: %w", err)
	}
	if a.Bulletins, err = a.bulletins(); err != nil {
		return fmt.Errorf("set up bulletins: %w", err)
	}
	a.Equipment = equipment.New(a.DB)
	if a.Measure, err = a.measurements(); err != nil {
		return fmt.Errorf("set up measurement: %w", err)
	}
	if a.Findings, err = a.findings(); err != nil {
		return fmt.Errorf("set up findings: %w", err)
	}
	if a.Settle, err = a.settlements(); err != nil {
		return fmt.Errorf("set up refunds: %w", err)
	}
	a.followFindings()
	if a.Exchange, err = a.exchanges(); err != nil {
		return fmt.Errorf("set up the exchange with platforms: %w", err)
	}
	if a.Webhooks, err = a.webhooks(); err != nil {
		return fmt.Errorf("set up webhooks: %w", err)
	}
	a.Handovers = handover.New(handover.Options{DB: a.DB, Cases: a.Cases, Dispatch: a.Dispatch, Outages: a.Outages, Rules: a.Rules.RulesIn})
	a.callbacks()
	if err := a.doors(); err != nil {
		return err
	}
	a.Stats = stats.New(a.DB, a.Runner)
	a.Stats.Owner = a.Territory.OwnerIn
	a.Bundles = bundle.New(bundle.Options{
		DB: a.DB, Ring: a.Ring, Program: "rehu " + a.o.Version, Values: a.packValues, Settle: a.Settle, Places: a.Places, Fees: a.Fees, Approval: a.approval,
	})
	return nil
}

// doors sets up the channels, the telephone and the forecast of its seats.
func (a *App) doors() (err error) {
	if err := a.channels(); err != nil {
		return fmt.Errorf("set up the channels: %w", err)
	}
	if a.Calls, err = a.telephone(); err != nil {
		return fmt.Errorf("set up the telephone: %w", err)
	}
	if err := a.weChat(); err != nil {
		return fmt.Errorf("set up WeChat: %w", err)
	}
	if err := a.letters(); err != nil {
		return fmt.Errorf("set up the mail: %w", err)
	}
	if err := a.push(); err != nil {
		return fmt.Errorf("set up web push: %w", err)
	}
	a.Staffing, err = staffing.New(staffing.Options{DB: a.DB, Rules: a.Rules.RulesIn, Calls: a.Calls, Weather: a.Weather, Outages: a.Outages})
	if err != nil {
		return fmt.Errorf("set up staffing: %w", err)
	}
	a.Calls.Goal = a.Staffing.GoalIn
	return nil
}

func (a *App) verifyRing(ctx context.Context) error {
	_, err := db.Read(ctx, a.DB, func(tx *db.Tx) (struct{}, error) { return struct{}{}, secret.Verify(ctx, tx, a.Ring) })
	return err
}

// passwords is how hard passwords are hashed; nil is the default. A simulated city has one password that it prints itself.
func (a *App) passwords() *argon2id.Params {
	if !a.o.Fast {
		return nil
	}
	return &argon2id.Params{Memory: 1 << 10, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

func (a *App) provider() staff.Provider {
	c := a.Config.OIDC
	if c.Issuer == "" {
		return nil
	}
	return staff.NewOIDC(staff.OIDCConfig{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret,
		Redirect: a.Config.PublicURL + OIDCReturn, Machine: a.o.Machine,
	})
}

// LoadPacks reads the packs that the program brings and those of a folder over them; the folder may be empty.
func LoadPacks(dir string) (*citypack.Set, error) {
	set, err := citypack.Load(packs.FS)
	if err != nil {
		return nil, err
	}
	return citypack.LoadDir(set, dir)
}

func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return host + "-" + strconv.Itoa(os.Getpid())
}

// Machine reads machine time.
func (a *App) Machine() time.Time { return a.o.Machine() }

// Version is the version of this program.
func (a *App) Version() string { return a.o.Version }

// Ready reports whether the installation can answer: the database is there.
func (a *App) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return a.DB.Ping(ctx)
}

// Run does the background work until ctx ends: jobs, and noticing cities that another process added.
func (a *App) Run(ctx context.Context) {
	go a.watchCities(ctx)
	a.Runner.Run(ctx, workers)
}

// workers is how many jobs a process works on at once.
const workers = 4

// rulesTime is how long reading a city's rules may take.
const rulesTime = 5 * time.Second

// Close lets go of everything.
func (a *App) Close() error {
	var err error
	if a.DB != nil {
		err = a.DB.Close()
	}
	a.release()
	return err
}

// Schema is the version of the database's schema.
func (a *App) Schema(ctx context.Context) (int64, error) {
	return db.Read(ctx, a.DB, func(tx *db.Tx) (int64, error) { return db.SchemaVersion(ctx, tx) })
}
