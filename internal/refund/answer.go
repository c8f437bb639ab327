package refund

// AnswerOf gives an assessment in the form of the contract of `rehu refund`, for whoever hands one on as JSON.
func AnswerOf(a Assessment) AnswerLine { return answerOf(a) }
