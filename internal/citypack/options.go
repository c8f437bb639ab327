package citypack

import (
	"encoding/json"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Options are the settings of a city on one day; zero means that the pack does not say. In a pack each option is a
// dated list with its source.
type Options struct {
	ReturnMinutes         int      `json:"return_minutes" pack:"min=1"`          // a company may return a dispatch within
	ReturnAnswerMinutes   int      `json:"return_answer_minutes" pack:"min=1"`   // the dispatcher answers a return within
	DesignateAfterReturns int      `json:"designate_after_returns" pack:"min=1"` // this return forces a designation
	OfferNextMinutes      int      `json:"offer_next_minutes" pack:"min=1"`      // unsigned so long: offer the next number
	OrphanMinutes         int      `json:"orphan_minutes" pack:"min=1"`          // a district names a 兜底单位 within
	ReopenDays            int      `json:"reopen_days" pack:"min=1"`             // "still cold" after closing
	ReopensPerClosing     int      `json:"reopens_per_closing" pack:"min=1"`
	NightFrom             string   `json:"night_from" pack:"pattern=^[0-2][0-9]:[0-5][0-9]$"`
	NightTo               string   `json:"night_to" pack:"pattern=^[0-2][0-9]:[0-5][0-9]$"`
	VerifyRequired        bool     `json:"verify_required"`
	CallbackRequired      bool     `json:"callback_required"` // every solved repair and complaint, before closing
	CallbackTries         int      `json:"callback_tries" pack:"min=1"`
	CallbackHalfDays      int      `json:"callback_half_days" pack:"min=1"`
	CallbackSample        int      `json:"callback_sample" pack:"min=1"` // per cent of the closings, for each company, that a second person asks about
	PeakFields            []string `json:"peak_fields"`
	QuestionsMax          int      `json:"questions_max" pack:"min=1"` // to a resident in the peak
	AppealWorkingDays     int      `json:"appeal_working_days" pack:"min=1"`
	ParkNeedsSectionHead  bool     `json:"park_needs_section_head"`
	ParkNoteDays          int      `json:"park_note_days" pack:"min=1"` // a word to the resident of a parked case every
	ExtendMax             int      `json:"extend_max" pack:"min=0"`     // extensions that the shift leader may grant
	AutoDispatchMethods   []string `json:"auto_dispatch_methods" pack:"enum=household|building|community|alias|road|point"`
	BorderMetres          int      `json:"border_metres" pack:"min=0"`
	MinConfidence         Decimal  `json:"min_confidence"`
	MinLead               Decimal  `json:"min_lead"`
	NotHomeProofs         []string `json:"not_home_proofs" pack:"enum=photo|call|slip|message"`
	VisitLead             int      `json:"visit_lead_minutes" pack:"min=0"`  // an agreed time may be changed until so long before it
	UntrueVisitsLimit     int      `json:"untrue_visits_limit" pack:"min=1"` // to the supervisor
	DuplicateDays         int      `json:"duplicate_days" pack:"min=1"`
	RiserHomes            int      `json:"incident_riser_homes" pack:"min=1"` // suspicion of an incident
	RiserHours            int      `json:"incident_riser_hours" pack:"min=1"`
	StationBuildings      int      `json:"incident_station_buildings" pack:"min=1"`
	StationHours          int      `json:"incident_station_hours" pack:"min=1"`
	StopConfirmMinutes    int      `json:"incident_confirm_minutes" pack:"min=1"`
	StopWordHours         int      `json:"stop_word_hours" pack:"min=1"` // a word about a live stop every
	LedgerRepeats         int      `json:"ledger_repeats" pack:"min=1"`
	LedgerDays            int      `json:"ledger_days" pack:"min=1"`
	DayCut                string   `json:"day_cut" pack:"pattern=^[0-2][0-9]:[0-5][0-9]$"`
	StopDutyHours         bool     `json:"duty_day_and_night"` // the company is on duty 24 hours in the season
}

// OptionSet is the options as written: for each a dated list of values.
type OptionSet map[string]Dated[json.RawMessage]

// Options gives the settings that hold at an instant.
func (p *Pack) Options(at civil.Instant) Options {
	day := at.Date()
	holds := make(map[string]json.RawMessage, len(p.Doc.Options))
	for name, d := range p.Doc.Options {
		if v, ok := d.On(day); ok {
			holds[name] = v.Value
		}
	}
	var o Options
	b, err := json.Marshal(holds)
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err != nil {
		return Options{} // the schema has checked every option when the pack was loaded
	}
	return o
}

// OutageNotice lists what must be announced and how long before.
func (p *Pack) OutageNotice(at civil.Instant) []Notice {
	var out []Notice
	for _, n := range p.Doc.Outage {
		if n.Covers(at.Date()) {
			out = append(out, n)
		}
	}
	return out
}
