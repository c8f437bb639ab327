package citypack

import "github.com/rehu-heat/rehu/internal/text"

// formFields names the fields of forms that have a word in every language. Packs write them in Chinese, which is the language
// of the forms; a city's own field has no other words and is printed as it is written.
func formFields() []string {
	return []string{
		"user", "applicant", "relation", "account", "phone", "address", "requested", "channel", "matter", "appointed", "taken_by",
		"test_at", "tester", "instrument", "valid_until", "windows", "point", "outdoor", "state", "result", "arrived", "purpose",
		"visitors", "again", "last_no", "last_result", "cure", "retest_at", "retest_result", "refusal", "user_reason", "witness",
		"witness_unit", "company", "client", "laboratory", "test_place", "basis", "contact", "served_at", "served_how", "objection",
		"dispute", "company_result", "second_result", "chosen", "finding", "opinion", "cost", "remedies", "facts", "settlement",
		"perform_by", "time", "place", "people", "stable", "reading", "span", "days", "records", "amount", "pay_how", "payee", "season",
		"area", "bill", "rule", "refund_days", "refund", "set_off", "net", "pay_by", "pay_way", "stop_area", "stop_cause", "stop_from",
		"stop_to", "stop_hours", "stop_basis", "stop_word", "stop_finding", "unit", "case_no", "case_address", "case_kind", "case_at",
		"case_state", "order_reason", "answer_by", "sign_user", "sign_tester", "sign_visitor", "sign_witness", "sign_applicant",
		"sign_company", "sign_server", "sign_receiver",
	}
}

// fieldIn is a field's name in a language.
func fieldIn(l text.Lang, field string) string {
	if l == text.ZH {
		return field
	}
	for _, name := range formFields() {
		if key := "paper.field." + name; text.T(text.ZH, key) == field {
			return text.T(l, key)
		}
	}
	return field
}
