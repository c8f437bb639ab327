package actor

import "slices"

// Role is a post. Its name on the screen is the catalogue key "role.<name>".
type Role string

// The roles, with their Chinese terms.
const (
	RoleSeat        Role = "seat"         // 坐席（受理员）
	RoleDispatcher  Role = "dispatcher"   // 派遣员
	RoleLeader      Role = "leader"       // 值班长
	RoleSectionHead Role = "section_head" // 科长
	RoleLiaison     Role = "liaison"      // 驻场人员: staff of a district or a company who sit in the centre
	RoleCompany     Role = "company"      // 供热企业（客服、调度）
	RoleStation     Role = "station"      // 供热所、热力站
	RoleWorker      Role = "worker"       // 入户人员
	RoleDistrict    Role = "district"     // 区县经办
	RoleVerifier    Role = "verifier"     // 核查员
	RoleInspector   Role = "inspector"    // 执法人员
	RoleSupervisor  Role = "supervisor"   // 监督员
	RoleRegulator   Role = "regulator"    // 供热主管部门
	RoleKnowledge   Role = "knowledge"    // 知识管理员
	RoleAdmin       Role = "admin"        // 系统管理员
	RolePartner     Role = "partner"      // 外部系统 (API key)
	RoleResident    Role = "resident"     // 居民
	RoleSystem      Role = "system"       // the program itself
)

// Permission is one thing somebody may do. Its name on the screen is the catalogue key "permission.<name>".
type Permission string

// The permissions. Those of the case life cycle carry the field's verbs.
const (
	CaseOpen         Permission = "case.open"          // 上报, 受理登记
	CaseRead         Permission = "case.read"          //
	CaseReveal       Permission = "case.reveal"        // show masked personal data
	CaseAccept       Permission = "case.accept"        // 受理, 不予受理, 直接答复
	CaseConfirm      Permission = "case.confirm"       // 核实, before filing
	CaseFile         Permission = "case.file"          // 案件立案
	CaseDispatch     Permission = "case.dispatch"      // 派遣, 改派, 回退答复
	CaseDesignate    Permission = "case.designate"     // 指定处置
	CaseSign         Permission = "case.sign"          // 签收
	CaseSignFor      Permission = "case.sign_for"      // 代签收 by recorded call
	CaseAssign       Permission = "case.assign"        // 二次派单 inside the company
	CaseTake         Permission = "case.take"          // 接单
	CaseHandle       Permission = "case.handle"        // 首次联系, 预约, 到场, 处置
	CaseFeedBack     Permission = "case.feed_back"     // 反馈
	CaseReturn       Permission = "case.return"        // 回退
	CaseAskExtend    Permission = "case.ask_extend"    // 申请延期
	CaseExtend       Permission = "case.extend"        // 批准延期
	CasePark         Permission = "case.park"          // 缓办, 挂账
	CaseUrge         Permission = "case.urge"          // 催办, 催办来电
	CaseSupervise    Permission = "case.supervise"     // 督办
	CaseVerify       Permission = "case.verify"        // 核查
	CaseCallBack     Permission = "case.call_back"     // 回访
	CaseClose        Permission = "case.close"         // 结案, 返工
	CaseReopen       Permission = "case.reopen"        // 重办
	CaseWithdraw     Permission = "case.withdraw"      // 撤回
	CaseTerminate    Permission = "case.terminate"     // 终止
	CaseVoid         Permission = "case.void"          // 作废
	CaseArchive      Permission = "case.archive"       // 归档
	CaseLink         Permission = "case.link"          // 关联
	CaseStaff        Permission = "case.staff"         // 处理对工作人员的投诉
	CaseAppeal       Permission = "case.appeal"        // 申诉
	CaseDecideAppeal Permission = "case.decide_appeal" // 申诉审定
	CaseImport       Permission = "case.import"        //
	CaseExport       Permission = "case.export"        //
	OutageReport     Permission = "outage.report"      // 停热报备
	OutageRead       Permission = "outage.read"        //
	TerritoryRead    Permission = "territory.read"     //
	TerritoryImport  Permission = "territory.import"   // 供热辖区 versions, places, households
	TerritoryClaim   Permission = "territory.claim"    // 辖区认领
	TerritoryDecide  Permission = "territory.decide"   // 辖区确认 by the authority
	DutyEdit         Permission = "duty.edit"          // 值班表
	HandoverWrite    Permission = "handover.write"     // 交接班
	PeakSwitch       Permission = "peak.switch"        // 高峰快录
	PackRead         Permission = "pack.read"          //
	PackApprove      Permission = "pack.approve"       // approve an unconfirmed value of the city pack
	SeasonDeclare    Permission = "season.declare"     // 公布采暖期起止
	KnowledgeRead    Permission = "knowledge.read"     //
	KnowledgeWrite   Permission = "knowledge.write"    //
	StaffManage      Permission = "staff.manage"       //
	KeyManage        Permission = "key.manage"         // API keys
	AuditRead        Permission = "audit.read"         //
	JobRead          Permission = "job.read"           //
	JobRetry         Permission = "job.retry"          //
	StatsRead        Permission = "stats.read"         //
	MeasureRequest   Permission = "measure.request"    // 测温申请, 撤回申请
	MeasureRead      Permission = "measure.read"       //
	MeasureAppoint   Permission = "measure.appoint"    // 测温预约, 派测温员
	MeasureTest      Permission = "measure.test"       // 入户测温, 未遇, 拒测
	MeasureCure      Permission = "measure.cure"       // 企业称已整改
	MeasureVerify    Permission = "measure.verify"     // 整改确认
	MeasureCorrect   Permission = "measure.correct"    // 更正记录: a new record that names the old one
	MeasureLab       Permission = "measure.lab"        // 委托检测: invitation and report of a laboratory
	InstrumentRead   Permission = "instrument.read"    //
	InstrumentEdit   Permission = "instrument.edit"    // 测量仪器台账
	FeeRead          Permission = "fee.read"           // 热费账单
	FeeImport        Permission = "fee.import"         // bills and payments, as a list or one by one
	RefundRead       Permission = "refund.read"        // 退费案件
	RefundClaim      Permission = "refund.claim"       // open a claim, fix a stop of an area as a claim
	RefundObject     Permission = "refund.object"      // 企业异议, with proof
	RefundDecide     Permission = "refund.decide"      // decide objections, 停热时长认定, by the authority
	RefundConfirm    Permission = "refund.confirm"     // 退费确认单
	FindingFile      Permission = "finding.file"       // 异议: raise one for a user, or as the company
	FindingRead      Permission = "finding.read"       //
	FindingAnswer    Permission = "finding.answer"     // 企业意见
	FindingDecide    Permission = "finding.decide"     // 室温复核意见书, 调解书, 裁决, by the authority
	SettleRun        Permission = "settle.run"         // 退费结算
	SettleApprove    Permission = "settle.approve"     // the second pair of eyes
	SettlePay        Permission = "settle.pay"         // bank file, result of the bank, invoices
	ResidentApprove  Permission = "resident.approve"   // 住户绑定审核, and consent heard by staff
	ExchangeRead     Permission = "exchange.read"      // 平台对接: tickets of 12345 and upper platforms
	ExchangeSend     Permission = "exchange.send"      // 退回, 延期申请, 剔除申请, 转交平台
	ExchangeManage   Permission = "exchange.manage"    // held messages, 对账差异 repair
	HotlineReport    Permission = "hotline.report"     // 企业热线来电报送
	HotlineRead      Permission = "hotline.read"       // 企业热线报送, gaps and late reports
	ChannelRead      Permission = "channel.read"       // 渠道: what came in and went out
	ChannelReply     Permission = "channel.reply"      // answer through a channel, replay what failed
	ChannelManage    Permission = "channel.manage"     // accounts
	ClueRead         Permission = "clue.read"          // 线索
	ClueDecide       Permission = "clue.decide"        // 线索核实: make a case of it, link it, set it aside
	CallTake         Permission = "call.take"          // 接听来电, 回拨
	CallRead         Permission = "call.read"          // 话务: calls, queue figures
	CallListen       Permission = "call.listen"        // 录音
	CallManage       Permission = "call.manage"        // 不再回拨, 话务参数
	StaffingRead     Permission = "staffing.read"      // 话务预测与排班
	StaffingEdit     Permission = "staffing.edit"      // 坐席排班
	NoticeWrite      Permission = "notice.write"       // the city's own words for messages, bulletins
	NoticeApprove    Permission = "notice.approve"     // the second pair of eyes
)

// grants is the table of who may do what. RoleSystem may do everything and is not listed.
var grants = map[Role][]Permission{
	RoleSeat: {
		ResidentApprove,
		CaseOpen, CaseRead, CaseReveal, CaseAccept, CaseFile, CaseUrge, CaseCallBack, CaseLink, CaseReopen,
		CaseWithdraw, OutageRead, TerritoryRead, KnowledgeRead, PackRead, HandoverWrite, FeeRead, RefundRead,
		MeasureRequest, MeasureRead, InstrumentRead, FindingFile, FindingRead, ExchangeRead,
		ChannelRead, ChannelReply, ClueRead, ClueDecide,
		CallTake, CallRead,
	},
	RoleDispatcher: {
		CaseOpen, CaseRead, CaseReveal, CaseAccept, CaseConfirm, CaseFile, CaseDispatch, CaseSignFor,
		CaseUrge, CaseCallBack, CaseLink, CaseReopen, CaseWithdraw, CaseClose, CaseExport, OutageRead, TerritoryRead,
		KnowledgeRead, PackRead, HandoverWrite, StatsRead, FeeRead, RefundRead,
		MeasureRequest, MeasureAppoint, MeasureRead, InstrumentRead, FindingRead, ExchangeRead, ExchangeSend, HotlineRead,
		ChannelRead, ChannelReply, ClueRead, ClueDecide,
		CallTake, CallRead,
	},
	RoleLeader: {
		ResidentApprove,
		CaseOpen, CaseRead, CaseReveal, CaseAccept, CaseConfirm, CaseFile, CaseDispatch, CaseDesignate,
		CaseSignFor, CaseExtend, CaseUrge, CaseSupervise, CaseCallBack, CaseLink, CaseReopen, CaseWithdraw,
		CaseTerminate, CaseVoid, CaseClose, CaseArchive, CaseStaff, CaseExport, CaseImport, OutageRead, OutageReport,
		TerritoryRead, KnowledgeRead, PackRead, HandoverWrite, PeakSwitch, DutyEdit, StatsRead, JobRead, FeeRead, RefundRead, RefundClaim,
		MeasureRequest, MeasureAppoint, MeasureVerify, MeasureRead, InstrumentRead, FindingFile, FindingRead, NoticeWrite, ExchangeRead, ExchangeSend, ExchangeManage, HotlineReport, HotlineRead,
		ChannelRead, ChannelReply, ChannelManage, ClueRead, ClueDecide,
		CallTake, CallRead, CallListen, CallManage, StaffingRead, StaffingEdit,
	},
	RoleSectionHead: {
		CaseRead, CaseReveal, CaseDesignate, CaseExtend, CasePark, CaseUrge, CaseSupervise, CaseTerminate,
		CaseVoid, CaseClose, CaseArchive, CaseStaff, CaseDecideAppeal, CaseExport, OutageRead, TerritoryRead, TerritoryDecide,
		TerritoryImport, SeasonDeclare, PackApprove, KnowledgeRead, KnowledgeWrite, PackRead, StatsRead, JobRead, AuditRead, FeeRead, FeeImport, RefundRead, RefundClaim, RefundDecide, RefundConfirm, SettleRun, SettleApprove,
		MeasureVerify, MeasureCorrect, MeasureLab, InstrumentEdit, MeasureRead, InstrumentRead, FindingFile, FindingRead, FindingDecide, NoticeWrite, NoticeApprove, ExchangeRead, ExchangeSend, ExchangeManage, HotlineRead,
		ChannelRead, ChannelReply, ChannelManage, ClueRead, ClueDecide,
		CallRead, CallListen, CallManage, StaffingRead, StaffingEdit,
	},
	RoleLiaison: {CaseOpen, CaseRead, CaseReveal, CaseUrge, OutageRead, TerritoryRead, KnowledgeRead, PackRead, MeasureRead, InstrumentRead, ExchangeRead, ExchangeSend, CallTake, CallRead},
	RoleCompany: {
		ResidentApprove,
		CaseRead, CaseReveal, CaseSign, CaseAssign, CaseTake, CaseHandle, CaseFeedBack, CaseReturn,
		CaseAskExtend, CaseAppeal, CaseExport, OutageRead, OutageReport, TerritoryRead, TerritoryClaim, DutyEdit,
		KnowledgeRead, PackRead, FeeRead, FeeImport, RefundRead, RefundObject, RefundConfirm, SettlePay,
		MeasureRequest, MeasureAppoint, MeasureTest, MeasureCure, MeasureCorrect, InstrumentEdit, MeasureRead, InstrumentRead, FindingFile, FindingRead, FindingAnswer, HotlineReport, HotlineRead,
	},
	RoleStation:   {CaseRead, CaseReveal, CaseAssign, CaseTake, CaseHandle, CaseFeedBack, OutageRead, OutageReport, KnowledgeRead, MeasureRequest, MeasureAppoint, MeasureTest, MeasureCure, MeasureRead, InstrumentRead},
	RoleWorker:    {CaseRead, CaseReveal, CaseTake, CaseHandle, CaseFeedBack, KnowledgeRead, MeasureTest, MeasureRead, InstrumentRead},
	RoleDistrict:  {CaseRead, CaseReveal, CaseDesignate, CaseUrge, CaseExport, OutageRead, TerritoryRead, TerritoryDecide, KnowledgeRead, PackRead, StatsRead, FeeRead, RefundRead, RefundClaim, RefundDecide, MeasureRequest, MeasureAppoint, MeasureTest, MeasureVerify, MeasureCorrect, MeasureLab, InstrumentEdit, MeasureRead, InstrumentRead, FindingFile, FindingRead, FindingDecide, ExchangeRead, HotlineRead},
	RoleVerifier:  {CaseRead, CaseReveal, CaseConfirm, CaseVerify, CaseCallBack, CaseClose, OutageRead, TerritoryRead, KnowledgeRead, PackRead, MeasureTest, MeasureVerify, MeasureRead, InstrumentRead},
	RoleInspector: {CaseRead, CaseReveal, OutageRead, TerritoryRead, KnowledgeRead, PackRead, RefundRead, MeasureTest, MeasureRead, InstrumentRead, FindingRead},
	RoleSupervisor: {
		CaseRead, CaseReveal, CaseUrge, CaseSupervise, CaseVerify, CaseCallBack, CaseStaff, CaseDecideAppeal,
		CaseExport, OutageRead, TerritoryRead, KnowledgeRead, PackRead, StatsRead, AuditRead, RefundRead,
		MeasureVerify, MeasureRead, InstrumentRead, FindingRead, ExchangeRead, HotlineRead,
		CallRead, CallListen, StaffingRead,
	},
	RoleRegulator: {CaseRead, CaseExport, CaseSupervise, CaseStaff, OutageRead, TerritoryRead, KnowledgeRead, PackRead, StatsRead, AuditRead, FeeRead, RefundRead, RefundDecide, SettleRun, SettleApprove, MeasureTest, MeasureVerify, MeasureCorrect, MeasureLab, InstrumentEdit, MeasureRead, InstrumentRead, FindingRead, FindingDecide, ExchangeRead, HotlineRead, ChannelRead, ClueRead, CallRead, StaffingRead, NoticeWrite, NoticeApprove},
	RoleKnowledge: {KnowledgeRead, KnowledgeWrite, PackRead, TerritoryRead, NoticeWrite},
	RoleAdmin: {
		StaffManage, KeyManage, AuditRead, JobRead, JobRetry, PackRead, TerritoryRead, TerritoryImport,
		CaseImport, KnowledgeRead, FeeImport, ExchangeRead, ExchangeManage, HotlineReport,
		ChannelRead, ChannelManage,
	},
	RolePartner:  {CaseOpen, CaseRead, OutageRead, TerritoryRead, MeasureRead},
	RoleResident: {CaseOpen},
}

// Roles lists every role a person may hold, in the order of the table.
func Roles() []Role {
	return []Role{
		RoleSeat, RoleDispatcher, RoleLeader, RoleSectionHead, RoleLiaison, RoleCompany, RoleStation, RoleWorker,
		RoleDistrict, RoleVerifier, RoleInspector, RoleSupervisor, RoleRegulator, RoleKnowledge, RoleAdmin,
	}
}

// Has reports whether the role carries a permission.
func (r Role) Has(p Permission) bool { return r == RoleSystem || slices.Contains(grants[r], p) }

// Permissions lists what a role may do.
func (r Role) Permissions() []Permission { return slices.Clone(grants[r]) }

// RolesWith lists the roles that carry a permission.
func RolesWith(p Permission) []Role {
	var out []Role
	for _, r := range Roles() {
		if r.Has(p) {
			out = append(out, r)
		}
	}
	return out
}

// OfCompany marks the roles that never see past their own company.
func (r Role) OfCompany() bool { return r == RoleCompany || r == RoleStation || r == RoleWorker }
