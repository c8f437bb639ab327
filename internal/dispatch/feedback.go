package dispatch

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// CheckForm reads a feedback form as the pack asks for it: every required field, no other field, and values of their type.
// Photographs are counted apart. Field names of faults are "form." and the code.
func CheckForm(fields []citypack.FormField, form map[string]string, photos int) error {
	var check fault.Check
	for code := range form {
		if !slices.ContainsFunc(fields, func(f citypack.FormField) bool { return f.Code == code }) {
			check.Add("form."+code, "field.unknown", "name", code)
		}
	}
	for _, f := range fields {
		v := strings.TrimSpace(form[f.Code])
		if f.Type == citypack.TypePhotos {
			check.That(!f.Required || photos > 0, "form."+f.Code, "field.required")
			continue
		}
		if v == "" {
			needed := f.Required || f.Unless != "" && form[f.Unless] == "no"
			check.That(!needed, "form."+f.Code, "field.required")
			continue
		}
		checkValue(&check, f, v)
	}
	return check.Err()
}

func checkValue(check *fault.Check, f citypack.FormField, v string) {
	name := "form." + f.Code
	switch f.Type {
	case citypack.TypeText:
		check.That(utf8.RuneCountInString(v) <= 300, name, "field.too_long", "max", 300)
	case citypack.TypeLongText:
		check.That(utf8.RuneCountInString(v) <= 2000, name, "field.too_long", "max", 2000)
	case citypack.TypeTime:
		_, err := civil.ParseInstant(v)
		check.That(err == nil, name, "field.not_a_time")
	case citypack.TypeDate:
		_, err := civil.ParseDate(v)
		check.That(err == nil, name, "field.not_a_date")
	case citypack.TypeTemperature:
		t, err := celsius.Parse(v)
		check.That(err == nil, name, "field.not_a_number")
		check.That(err != nil || t >= -300 && t <= 600, name, "field.out_of_range", "min", "-30", "max", "60")
	case citypack.TypeNumber:
		check.That(strings.Trim(v, "0123456789.-") == "", name, "field.not_a_number")
	case citypack.TypeYesNo:
		check.That(v == "yes" || v == "no", name, "field.not_one_of", "allowed", "yes, no")
	case citypack.TypeChoice:
		check.That(isChoice(f, v), name, "field.not_one_of", "allowed", choices(f))
	case citypack.TypeChoices:
		for one := range strings.SplitSeq(v, ",") {
			check.That(isChoice(f, one), name, "field.not_one_of", "allowed", choices(f))
		}
	case citypack.TypePhotos:
	}
}

func isChoice(f citypack.FormField, v string) bool {
	return slices.ContainsFunc(f.Choices, func(c citypack.Choice) bool { return c.Code == v })
}

func choices(f citypack.FormField) string {
	codes := make([]string, len(f.Choices))
	for i, c := range f.Choices {
		codes[i] = c.Code
	}
	return strings.Join(codes, ", ")
}
