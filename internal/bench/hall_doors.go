package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/sim"
)

// markWord and the digits after it make a matter findable by its text alone, by whichever door it came.
const (
	markWord = "（编号"
	markLen  = 6
)

// matter is what somebody says; each has a home and a telephone of its own, so that none is a reminder of another.
type matter struct {
	n                                                                  int
	mark, text, phone, address, building, unit, room, account, company string
	from                                                               visitor
}

// matter takes homes from the end of the register: residents who look live at its beginning.
func (h *hall) matter(i int) matter {
	all := h.city.Households
	home := all[len(all)-1-i%len(all)]
	b := h.city.Buildings[home.Building]
	m := matter{
		n: i, company: h.city.Companies[h.city.Supplier(home.Building)].Code, mark: fmt.Sprintf("%0*d", markLen, i), phone: fmt.Sprintf("1370%07d", i), building: b.No, unit: fmt.Sprint(home.Unit),
		room: fmt.Sprintf("%d%02d", home.Floor, home.Flat), account: home.Account, from: newVisitor(1<<20+i, ""),
	}
	m.address = fmt.Sprintf("%s%s号楼%s单元%s", h.city.Communities[b.Community].Name, m.building, m.unit, m.room)
	m.text = "家里暖气不热，只有15度，已经两天了" + markWord + m.mark + "）"
	return m
}

// door is a way in; it gives the id of the case where its answer tells it.
type door struct {
	name string
	send func(context.Context, matter) (id string, err error)
	late bool // it is fetched by and by, so that there is no answer to wait for
}

func (h *hall) doors() []door {
	return []door{
		{"telephone", h.byTelephone, false},
		{"seat", h.bySeat, false},
		{"api", h.byAPI, false},
		{"open311", h.byOpen311, false},
		{"page", h.byPage, false},
		{"hotline", h.byHotline, false},
		{"wechat", h.byWeChat, false},
		{"weibo", h.byWeibo, false},
		{"12345", h.byPlatform, false},
		{"mail", h.byMail, true},
	}
}

// bySeat is a visitor of whom a seat takes down what they came for, without the telephone.
func (h *hall) bySeat(ctx context.Context, m matter) (string, error) {
	return h.takeDown(ctx, h.seats[m.n%len(h.seats)], m, nil)
}

// takeDown fills in the seat's form and sends it.
func (h *hall) takeDown(ctx context.Context, v visitor, m matter, more url.Values) (string, error) {
	form := url.Values{
		"_key": {"bench-" + m.mark}, "channel": {string(cases.Phone)}, "caller.phone": {m.phone}, "address": {m.address}, "building": {m.building}, "unit": {m.unit},
		"room": {m.room}, "text": {m.text}, "category": {"cold_home"}, "nature": {string(citypack.Repair)}, "scope": {string(cases.Home)}, "details.since": {"昨晚"},
		"details.neighbours": {"no"}, "details.leak": {"no"}, "test_request": {"yes"}, "secret": {"no"},
	}
	maps.Copy(form, more)
	head, err := h.ask(ctx, v, http.MethodPost, cityPath("/seat"), form, http.StatusSeeOther)
	if err != nil {
		return "", err
	}
	to, err := url.Parse(head.Get("Location"))
	if err != nil {
		return "", err
	}
	id := to.Query().Get("done")
	if id == "" {
		err = fmt.Errorf("the seat's form led to %q", to)
	}
	return id, err
}

// byAPI is a matter that another system of the city passes on.
func (h *hall) byAPI(ctx context.Context, m matter) (string, error) {
	in := cases.Opening{
		Channel: cases.OpenAPI, Category: "cold_home", Nature: citypack.Repair, Scope: cases.Home, Text: m.text, Caller: cases.Party{Phone: m.phone}, Address: m.address,
		Account: m.account, Room: m.room, TestRequest: "yes", Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	}
	var got struct {
		Case struct {
			ID string `json:"id"`
		} `json:"case"`
	}
	err := h.post(ctx, m, "/cases", in, http.StatusCreated, &got)
	return got.Case.ID, err
}

// byHotline is a call that a company took on its own line.
func (h *hall) byHotline(ctx context.Context, m matter) (string, error) {
	in := exchange.Calls{Company: m.company, Calls: []exchange.Call{{
		No: "B" + m.mark, ToldAt: h.cityNow(), Phone: m.phone, Address: m.address, Account: m.account, Text: m.text, Category: "cold_home",
	}}}
	var got struct {
		Items []struct {
			Case  string          `json:"case"`
			Error json.RawMessage `json:"error"`
		} `json:"items"`
	}
	if err := h.post(ctx, m, "/hotline", in, http.StatusOK, &got); err != nil {
		return "", err
	}
	if len(got.Items) != 1 || got.Items[0].Case == "" {
		return "", fmt.Errorf("the hotline's call was not taken: %+v", got)
	}
	return got.Items[0].Case, nil
}

func (h *hall) post(ctx context.Context, m matter, path string, in any, want int, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/api/v1/cities/%d%s", h.url, sim.Code, path), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+h.info.APIToken)
	req.Header.Set("Idempotency-Key", "bench-"+m.mark)
	_, got, err := h.do(req, m.from, want)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(got), out)
}

// byOpen311 is a report by the open standard; its receipt names no id.
func (h *hall) byOpen311(ctx context.Context, m matter) (string, error) {
	_, err := h.ask(ctx, m.from, http.MethodPost, "/open311/v2/requests.json", url.Values{
		"api_key": {h.info.Open311Key}, "service_code": {"cold_home"}, "description": {m.text}, "phone": {m.phone}, "address_string": {m.address},
	}, http.StatusOK)
	return "", err
}

// byPage is a resident's report on the page; its receipt is a link.
func (h *hall) byPage(ctx context.Context, m matter) (string, error) {
	head, err := h.ask(ctx, m.from, http.MethodPost, cityPath("/m/report"), url.Values{
		"_key": {"bench-" + m.mark}, "what": {"cold_home"}, "address": {m.address}, "community": {"-"}, "phone": {m.phone}, "since": {"昨晚"}, "test_request": {"yes"}, "text": {m.text},
	}, http.StatusSeeOther)
	if err == nil && !strings.Contains(head.Get("Location"), "/m/r/") {
		err = fmt.Errorf("the report led to %q", head.Get("Location"))
	}
	return "", err
}
