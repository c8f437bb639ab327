package api

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/page"
)

// billOf names the season whose bill is asked for.
type billOf struct {
	Season string `json:"season" form:"season"`
}

// readings are what the meters of a household showed.
type readings struct {
	Items []fee.Reading `json:"items"`
}

// feeOperations are the bills for heat, which refunds are a share of.
func (v *v1) feeOperations() {
	read, edit := []actor.Permission{actor.FeeRead}, []actor.Permission{actor.FeeImport}
	const all, one = "/cities/{city}/fees", "/cities/{city}/fees/{account}"
	ask(v, Operation{Name: "list_fees", Method: http.MethodGet, Path: all, Permissions: read, tag: "fees"},
		func(ctx context.Context, c caller, f fee.Filter) (page.Of[fee.Entry], error) {
			return full(v.Fees.List(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "sum_fees", Method: http.MethodGet, Path: "/cities/{city}/fee-sums", Permissions: read, tag: "fees"},
		func(ctx context.Context, c caller, f fee.Filter) (feeSums, error) {
			list, err := v.Fees.Sum(ctx, c.by, c.city, f)
			return sumsOf(list), err
		})
	ask(v, Operation{Name: "show_fee_account", Method: http.MethodGet, Path: one + "/account", Permissions: read, tag: "fees"},
		func(ctx context.Context, c caller, _ struct{}) (fee.Account, error) {
			return v.Fees.Account(ctx, c.by, c.city, c.param("account"))
		})
	ask(v, Operation{Name: "show_fee", Method: http.MethodGet, Path: one, Permissions: read, tag: "fees"},
		func(ctx context.Context, c caller, q billOf) (fee.Bill, error) {
			return v.Fees.Bill(ctx, c.by, c.city, c.param("account"), q.Season)
		})
	act(v, Operation{Name: "save_fee", Method: http.MethodPost, Path: one, Permissions: edit, tag: "fees"},
		func(ctx context.Context, c caller, in fee.SaveInput) (fee.Bill, error) {
			in.City, in.Account = c.city, c.param("account")
			return v.Fees.Save(ctx, c.by, in)
		})
	act(v, Operation{Name: "set_fee_term", Method: http.MethodPost, Path: one + "/term", Permissions: edit, tag: "fees"},
		func(ctx context.Context, c caller, in fee.TermInput) (fee.Term, error) {
			in.City, in.Account = c.city, c.param("account")
			return v.Fees.SetTerm(ctx, c.by, in)
		})
	ask(v, Operation{Name: "list_meter_readings", Method: http.MethodGet, Path: one + "/readings", Permissions: read, tag: "fees"},
		func(ctx context.Context, c caller, _ struct{}) (readings, error) {
			list, err := v.Fees.Readings(ctx, c.by, c.city, c.param("account"))
			return readings{list}, err
		})
	act(v, Operation{Name: "keep_meter_readings", Method: http.MethodPost, Path: one + "/readings", Permissions: edit, tag: "fees"},
		func(ctx context.Context, c caller, in fee.ReadingsInput) (fee.Readings, error) {
			in.City = c.city
			for i := range in.Readings {
				in.Readings[i].Account = c.param("account")
			}
			return v.Fees.KeepReadings(ctx, c.by, in)
		})
	v.feeRecords(one, edit)
}

// feeRecords are payments and readings that are entered one by one, and their corrections.
func (v *v1) feeRecords(one string, edit []actor.Permission) {
	act(v, Operation{Name: "record_payment", Method: http.MethodPost, Path: one + "/payments", Permissions: edit, tag: "fees", status: http.StatusCreated},
		func(ctx context.Context, c caller, in fee.PaymentInput) (fee.Payment, error) {
			in.City, in.Account, in.Key = c.city, c.param("account"), c.key()
			return v.Fees.RecordPayment(ctx, c.by, in)
		})
	act(v, Operation{Name: "void_payment", Method: http.MethodPost, Path: one + "/payments/{payment}/void", Permissions: edit, tag: "fees"},
		func(ctx context.Context, c caller, in fee.VoidInput) (fee.Payment, error) {
			in.City, in.Account, in.ID, in.Key = c.city, c.param("account"), c.param("payment"), c.key()
			return v.Fees.VoidPayment(ctx, c.by, in)
		})
	act(v, Operation{Name: "read_meter", Method: http.MethodPost, Path: one + "/reading", Permissions: edit, tag: "fees", status: http.StatusCreated},
		func(ctx context.Context, c caller, in fee.ReadingInput) (fee.Reading, error) {
			in.City, in.Account, in.Key = c.city, c.param("account"), c.key()
			return v.Fees.ReadMeter(ctx, c.by, in)
		})
	act(v, Operation{Name: "correct_meter_reading", Method: http.MethodPost, Path: one + "/readings/{reading}/correct", Permissions: edit, tag: "fees"},
		func(ctx context.Context, c caller, in fee.ReadingInput) (fee.Reading, error) {
			in.City, in.Account, in.Replaces, in.Key = c.city, c.param("account"), c.param("reading"), c.key()
			return v.Fees.CorrectReading(ctx, c.by, in)
		})
	act(v, Operation{Name: "void_meter_reading", Method: http.MethodPost, Path: one + "/readings/{reading}/void", Permissions: edit, tag: "fees"},
		func(ctx context.Context, c caller, in fee.VoidInput) (fee.Reading, error) {
			in.City, in.Account, in.ID, in.Key = c.city, c.param("account"), c.param("reading"), c.key()
			return v.Fees.VoidReading(ctx, c.by, in)
		})
}

// feeSums are what the bills of a list come to, together and by company.
type feeSums struct {
	Total     fee.Sums   `json:"total"`
	Companies []fee.Sums `json:"companies"`
}

func sumsOf(list []fee.Sums) feeSums {
	out := feeSums{Companies: list}
	for _, s := range list {
		out.Total.Join(s)
	}
	return out
}
