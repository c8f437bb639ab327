package web

import "slices"

// table lists the routes of every capability: one line each, so that pages can be added side by side.
func (w *Web) table() []Route {
	return slices.Concat(
		w.homeRoutes(),
		w.loginRoutes(),
		w.companyRoutes(),
		w.fieldRoutes(),
		w.statsRoutes(),
		w.wallRoutes(),
		w.rulesRoutes(),
		w.calendarRoutes(),
		w.accountRoutes(),
		w.peopleRoutes(),
		w.orgRoutes(),
		w.auditRoutes(),
		w.jobRoutes(),
		w.casesRoutes(),
		w.caseRoutes(),
		w.placeRoutes(),
		w.confusableRoutes(),
		w.mapRoutes(),
		w.territoryRoutes(),
		w.claimRoutes(),
		w.queueRoutes(),
		w.seatRoutes(),
		w.phoneRoutes(),
		w.callRoutes(),
		w.staffingRoutes(),
		w.residentRoutes(),
		w.hallRoutes(),
		w.bindingRoutes(),
		w.outageRoutes(),
		w.dutyRoutes(),
		w.handoverRoutes(),
		w.knowledgeRoutes(),
		w.messageRoutes(),
		w.measureRoutes(),
		w.refundRoutes(),
		w.findingRoutes(), w.copyRoutes(),
		w.settleRoutes(),
		w.exchangeRoutes(),
		w.webhookRoutes(),
		w.liveRoutes(),
	)
}
