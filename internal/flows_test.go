package internal_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/flow"
	"github.com/rehu-heat/rehu/internal/handover"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/text"
)

var update = flag.Bool("update", false, "write docs/flows.md from the life cycles")

// lifecycle is one table of the program, in the form that the documentation needs.
type lifecycle struct {
	name     string // "case"
	title    string
	column   string   // table.column that holds the status
	statuses []string // in the order of the table
	final    []string
	states   string // prefix of the catalogue keys of statuses
	events   string // and of events
	steps    []flow.Step[string, string]
	mermaid  string
	faults   []string
}

func of[S, E ~string](t flow.Table[S, E], title, column, states, events string) lifecycle {
	l := lifecycle{name: t.Name, title: title, column: column, states: states, events: events, mermaid: t.Mermaid(), faults: t.Check()}
	for _, s := range t.Statuses() {
		l.statuses = append(l.statuses, string(s))
		if t.IsFinal(s) {
			l.final = append(l.final, string(s))
		}
	}
	for _, s := range t.Steps {
		l.steps = append(l.steps, flow.Step[string, string]{From: string(s.From), Event: string(s.Event), To: string(s.To), By: s.By})
	}
	return l
}

// lifecycles lists every table of the program.
func lifecycles() []lifecycle {
	return []lifecycle{
		of(cases.Lifecycle, "A case 案件", "case_file.status", "status.", "event."),
		of(call.Lifecycle, "A call 来电", "call_record.state", "call.state.", "call.kind."),
		of(call.SeatLifecycle, "A seat at the switch 坐席话机", "call_seat.state", "call.seat.", "call.sit."),
		of(call.BackLifecycle, "A call-back of a missed call 未接回拨", "call_back.state", "call.back.", "call.back_act."),
		of(outage.Lifecycle, "A stop of heating 停热", "outage.state", "outage.state.", "outage.event."),
		of(finding.Lifecycle, "A finding on a temperature 室温复核", "finding.state", "finding_state.", "finding_event."),
		of(knowledge.Lifecycle, "A version of an article 知识条目", "article_version.state", "knowledge.state.", "knowledge.event."),
		of(handover.Lifecycle, "A handover sheet 交接班单", "handover.state", "handover.state.", "handover.event."),
		of(callback.SampleLifecycle, "A sample call 回访抽样", "callback_sample.state", "callback.sample.", "callback.sample_event."),
		of(callback.AppealLifecycle, "An appeal against a figure 指标申诉", "callback_appeal.state", "callback.appeal.", "callback.appeal_event."),
		of(measure.Lifecycle, "A measurement 入户测温", "measurement.state", "measure_state.", "measure_event."),
		of(measure.Appointments, "An appointment for a measurement 测温预约", "measure_appointment.state", "appointment_state.", "appointment_event."),
		of(settle.Lifecycle, "A refund claim 退费案件", "refund_claim.state", "refund_claim.state.", "refund_claim.event."),
		of(settle.SettlementLifecycle, "A settlement 退费结算", "settlement.state", "settlement.state.", "settlement.event."),
		of(settle.PayLifecycle, "An order to pay 付款单", "payout.state", "payout.state.", "payout.event."),
		of(exchange.Lifecycle, "A ticket of a platform 平台工单", "exchange_ticket.status", "exchange_status.", "exchange_event."),
		of(exchange.Requests, "A request on a ticket of a platform 平台工单申请", "exchange_request.state", "exchange_request_state.", "exchange_request_event."),
		of(bulletin.Lifecycle, "A bulletin 群发公告", "bulletin.state", "bulletin.state.", "bulletin.event."),
		of(notice.Lifecycle, "A message 消息", "notice.state", "notice.state.", "notice.event."),
		of(resident.Lifecycle, "A home that a resident binds 住户绑定", "resident_binding.state", "binding.state.", "binding.event."),
		of(channel.Inward, "A message from a channel 渠道消息", "channel_message.state", "channel.state.", "channel.move."),
		of(clue.Lifecycle, "A clue 线索", "clue.state", "clue.state.", "clue.decision."),
		of(channel.Outward, "An answer through a channel 渠道答复", "channel_reply.state", "channel.state.", "channel.move."),
	}
}

// TestEveryLifecycleIsListed finds tables that somebody added and did not list here.
func TestEveryLifecycleIsListed(t *testing.T) {
	t.Parallel()
	found := 0
	for _, s := range sources(t) {
		if s.pkg() == "flow" {
			continue
		}
		raw, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		found += len(regexp.MustCompile(`(?m)= flow\.Table\[`).FindAll(raw, -1))
	}
	if n := len(lifecycles()); n != found {
		t.Errorf("the program has %d life cycles, this list %d", found, n)
	}
}

// TestFlows: no status is out of reach or without a way out, the schema knows the same statuses, every status and event
// has its words, every permission exists, and docs/flows.md says what the tables say.
func TestFlows(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Life cycles\n\nWritten by `make golden` from the tables of the program; do not edit. The buttons on a page and the actions that the API allows are\nread from the same tables. Guards that need data (a return only before arrival, a verifier who is not the handler) stand in the use cases.\n")
	for _, l := range lifecycles() {
		checkLifecycle(t, l)
		l.document(&b)
	}
	const name = "../docs/flows.md"
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Errorf("docs/flows.md is stale; run make golden (-file +tables):\n%s", diff)
	}
}

func checkLifecycle(t *testing.T, l lifecycle) {
	t.Helper()
	for _, f := range l.faults {
		t.Errorf("%s: %s", l.name, f)
	}
	want := slices.Sorted(slices.Values(l.statuses))
	if have := allowed(t, l.column); !slices.Equal(have, want) {
		t.Errorf("%s: the schema allows %v in %s, the table has %v", l.name, have, l.column, want)
	}
	for _, s := range l.statuses {
		if !text.Has(l.states + s) {
			t.Errorf("%s: the status has no words: %s", l.name, l.states+s)
		}
	}
	for _, s := range l.steps {
		if !text.Has(l.events + s.Event) {
			t.Errorf("%s: the event has no words: %s", l.name, l.events+s.Event)
		}
		if s.By != "" && len(actor.RolesWith(actor.Permission(s.By))) == 0 {
			t.Errorf("%s: nobody has the permission %s", l.name, s.By)
		}
	}
}

// allowed reads the words of a column's CHECK, sorted.
func allowed(t *testing.T, column string) []string {
	t.Helper()
	table, name, _ := strings.Cut(column, ".")
	var out []string
	for _, m := range migrations(t) {
		for _, s := range m.up {
			made := strings.HasPrefix(s, "CREATE TABLE "+table+" ")
			anew := strings.HasPrefix(s, "ALTER TABLE "+table+" ADD COLUMN "+name+"2 ") // a longer list under the same name
			in := regexp.MustCompile(name + `2? IN \(([^)]*)\)`).FindStringSubmatch(s)
			if !made && !anew || in == nil {
				continue
			}
			out = nil
			for _, w := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(in[1], -1) {
				out = append(out, w[1])
			}
			slices.Sort(out)
		}
	}
	return out
}

// document writes a life cycle as a table and a diagram.
func (l lifecycle) document(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\nThe status stands in `%s`; final: %s.\n\n| status | event | then | who |\n|---|---|---|---|\n",
		l.title, l.column, strings.Join(mapped(l.final, func(s string) string { return l.word(l.states, s) }), ", "))
	for _, s := range l.steps {
		who := "the program"
		if s.By != "" {
			who = strings.Join(mapped(actor.RolesWith(actor.Permission(s.By)), func(r actor.Role) string { return text.Say(text.ZH, "role."+string(r), nil) }), "、")
			who = "`" + s.By + "` " + who
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", l.word(l.states, s.From), l.word(l.events, s.Event), l.word(l.states, s.To), who)
	}
	fmt.Fprintf(b, "\n```mermaid\n%s```\n", l.mermaid)
}

func (l lifecycle) word(prefix, name string) string {
	return "`" + name + "` " + text.Say(text.ZH, prefix+name, nil)
}

func mapped[A any](list []A, fn func(A) string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = fn(x)
	}
	return out
}
