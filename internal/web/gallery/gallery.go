// Package gallery shows every part of package ui once: for the tests, which look at each in a browser, and for those who
// build pages, as examples to copy. It is not part of the program.
package gallery

import (
	"context"
	"math"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// now is the moment that the examples are drawn at.
var now = civil.On(civil.NewDate(2026, 1, 15), 8, 0)

// view is the frame's data of the examples.
func view() *ui.View {
	return &ui.View{
		City: ui.City{Code: 990100, NameZH: "暖城市", NameEN: "Nuancheng"}, Now: now, Name: "赵敏", Role: "派遣员",
		Nav: []ui.Link{
			{Key: "nav.cases", Icon: "list-checks", Href: "/", Current: true},
			{Key: "nav.seat", Icon: "headphones", Href: "/seat"},
			{Key: "nav.map", Icon: "map", Href: "/map"},
			{Key: "nav.company", Icon: "building-2", Href: "/company"},
			{Key: "nav.stats", Icon: "chart-column", Href: "/stats"},
			{Key: "nav.rules", Icon: "scroll-text", Href: "/rules"},
		},
	}
}

// row is a case as the example of a console shows it.
type row struct {
	No, Kind, Tag, Address, Unit, Status string
	Tone                                 ui.Tone
	Due                                  ui.Due
	At                                   string
}

func rows() []row {
	min := func(n int) ui.Due { return ui.Due{At: now + civil.Instant(n*60_000)} }
	base := []row{
		{"GR1123-1195", "突然停热", "特急", "龙泉山庄3号楼4单元1204室", "南苑热力", "待核查", ui.Amber, min(-236), "01-13 14:51"},
		{"GR1123-1060", "未按时供热", "", "阳光家园5号楼4单元803室", "滨河供热", "返工", ui.Amber, min(-234), "01-13 23:12"},
		{"GR1123-1135", "室温不达标", "紧急", "滨河新城24号楼4单元1504室", "恒温供热", "待签收", ui.Blue, min(-221), "01-14 04:47"},
		{"GR1123-1095", "未按时供热", "紧急", "丽景花园9号楼3单元803室", "滨河供热", "待受理", ui.Violet, min(64), "01-14 17:02"},
		{"GR1123-1187", "管道漏水", "紧急", "书香名邸22号楼4单元802室", "铁路供暖", "处置中", ui.Teal, min(110), "01-14 19:01"},
		{"GR1123-1138", "服务态度", "", "建设小区4号楼2单元1102室", "南苑热力", "待派遣", ui.Blue, min(190), "01-14 02:25"},
		{"GR1123-1045", "未按时供热", "", "锦绣江南19号楼3单元1301室", "城北热力", "回退", ui.Grey, min(1500), "01-14 07:53"},
		{"GR1123-1200", "服务态度", "", "建设小区14号楼2单元1003室", "惠民热电", "结案", ui.Green, ui.Due{Done: true}, "01-13 04:16"},
		{"GR1123-1084", "室温不达标", "", "阳光家园6号楼4单元703室", "恒温供热", "挂账", ui.Grey, ui.Due{Note: "假期未公布"}, "01-13 17:29"},
	}
	return append(base, append(base, base...)...)
}

func stats() []ui.Stat {
	return []ui.Stat{
		{Icon: "inbox", Key: "permission.case.accept", Value: "32", Href: "/?status=1"},
		{Icon: "send", Key: "permission.case.dispatch", Value: "28", Href: "/?status=2", Current: true},
		{Icon: "wrench", Key: "permission.case.handle", Value: "58", Href: "/?status=3"},
		{Icon: "clock", Key: "permission.case.urge", Value: "9", Tone: ui.Amber, Href: "/?due=soon"},
		{Icon: "alarm-clock", Key: "permission.case.supervise", Value: "22", Tone: ui.Red, Href: "/?due=over"},
	}
}

func steps() []ui.Step {
	return []ui.Step{
		{At: "01-14 04:47", Title: "受理登记", Who: "坐席 1024 李娜", Text: "用户反映客厅温度偏低，老人和孩子在家，已自行排气无效，要求上门测温。"},
		{At: "01-14 04:51", Title: "判定责任单位", Who: "系统", Text: "按供热范围匹配：兴工供热区 → 恒温供热"},
		{At: "01-14 04:56", Title: "派遣", Who: "派遣员 赵敏", Text: "要求 2 小时内联系用户，24 小时内到场"},
	}
}

func chart() ui.Chart {
	return ui.Chart{
		ID: "by-day", Title: "每日受理与结案", LabelKey: "web.audit.at",
		Labels: []string{"01-06", "01-07", "01-08", "01-09", "01-10", "01-11", "01-12", "01-13", "01-14", "01-15"},
		Series: []ui.Series{
			{Name: "受理", Values: []float64{120, 180, 260, 410, 530, 380, 300, 260, 220, 90}},
			{Name: "结案", Values: []float64{100, 150, 210, 300, 420, 430, 340, 300, 250, 60}},
		},
	}
}

func lines() ui.Chart {
	return ui.Chart{
		ID: "temp", Title: "平均室温（℃）", LabelKey: "web.audit.at", Decimals: 1, Limit: 18, LimitName: "标准",
		Labels: []string{"01-09", "01-10", "01-11", "01-12", "01-13", "01-14", "01-15"},
		Series: []ui.Series{
			{Name: "一热", Values: []float64{19.8, 19.2, 18.4, 17.6, 17.9, 18.8, 19.4}},
			{Name: "二热", Values: []float64{20.5, 20.1, math.NaN(), 19.0, 19.6, 20.2, 20.4}},
		},
	}
}

// Console is the example of a list with its drawer, map and figures.
func Console(ctx context.Context, f ui.Form) (context.Context, templ.Component) {
	page := ui.Staff(ui.Frame{Title: "调度台", Live: "/events", Fill: true})
	return with(ctx, console(f)), page
}

// Parts is the example of everything else that staff's pages use.
func Parts(ctx context.Context, f ui.Form) (context.Context, templ.Component) {
	return with(ctx, parts(f)), ui.Staff(ui.Frame{Title: "零件"})
}

// Citizen is the example of a residents' page.
func Citizen(ctx context.Context, f ui.Form) (context.Context, templ.Component) {
	return with(ctx, citizen(f)), ui.Citizen(ui.Frame{Title: "家里不热", Photo: true})
}

// Field is the example of a field worker's page.
func Field(ctx context.Context, f ui.Form) (context.Context, templ.Component) {
	return with(ctx, field(f)), ui.Field(ui.Frame{Title: "入户测温", Back: "/"})
}

// Wall is the example of the wall screen.
func Wall(ctx context.Context, _ ui.Form) (context.Context, templ.Component) {
	return with(ctx, wall()), ui.Wall(ui.Frame{Title: "大屏"})
}

func with(ctx context.Context, body templ.Component) context.Context {
	v := view()
	v.URL = ui.Of(ctx).URL
	v.Site = ui.Of(ctx).Site
	return templ.WithChildren(ui.With(ctx, v), body)
}
