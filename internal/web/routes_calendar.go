package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
)

// calendarRoutes are the pages of the city's working days.
func (w *Web) calendarRoutes() []Route {
	if w.Rules == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/calendar", may(actor.PackRead), w.calendarPage),
		post("/c/{city}/calendar/switch", may(actor.PackApprove), w.switchHoliday),
		post("/c/{city}/calendar", may(actor.PackApprove), w.importHolidays),
	}
}

// calendarView is the announced holidays and make-up days, year by year.
type calendarView struct {
	city  int
	years []citypack.HolidayYear
	may   bool
}

// calendarPage shows the years whose holidays are known: a year that is not there leaves its time limits open.
func (w *Web) calendarPage(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	v := calendarView{city: city, may: by(r).MayAny(actor.PackApprove, city)}
	var err error
	if v.years, err = w.Rules.Holidays(r.Context(), by(r), city); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.calendar"), Nav: "calendar", Body: calendarBody(v)})
}

// switchHoliday switches a wrong entry off, so that it stays off after the next import, or on again.
func (w *Web) switchHoliday(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[citypack.HolidaySwitch](r)
	city := httpx.City(r.Context())
	if err == nil {
		in.City = city
		_, err = w.Rules.SwitchHoliday(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, at("/c/{city}/calendar", city), "calendarpage.switched")
}

type holidayInput struct {
	Source string `form:"source"`
	Body   string `form:"body"`
}

// importHolidays takes a year's announcement over.
func (w *Web) importHolidays(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[holidayInput](r)
	city := httpx.City(r.Context())
	if err == nil {
		_, err = w.Rules.ImportHolidays(r.Context(), by(r), citypack.HolidayImport{City: city, Source: in.Source, Body: []byte(in.Body)})
	}
	return w.after(rw, r, err, at("/c/{city}/calendar", city), "calendarpage.imported")
}
