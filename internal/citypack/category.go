package citypack

// Urgency is how fast a matter must move.
type Urgency string

// The urgencies.
const (
	Normal   Urgency = "normal"   // 一般
	Urgent   Urgency = "urgent"   // 急件: infants, the old and the ill, a care household
	Critical Urgency = "critical" // 特急: leak, burst pipe, a whole area without heat
)

func (Urgency) values() []string { return []string{string(Normal), string(Urgent), string(Critical)} }

// Nature is what the caller wants (诉求性质); it is apart from the category.
type Nature string

// The natures.
const (
	Inquiry    Nature = "inquiry"    // 咨询
	Repair     Nature = "repair"     // 报修
	Help       Nature = "help"       // 求助
	Complaint  Nature = "complaint"  // 投诉
	Report     Nature = "report"     // 举报
	Suggestion Nature = "suggestion" // 建议
	Praise     Nature = "praise"     // 表扬
	Applying   Nature = "apply"      // 申请
)

func (Nature) values() []string {
	return []string{
		string(Inquiry), string(Repair), string(Help), string(Complaint), string(Report), string(Suggestion),
		string(Praise), string(Applying),
	}
}

// Natures lists the natures in the order of the screen.
func Natures() []Nature {
	return []Nature{Inquiry, Repair, Help, Complaint, Report, Suggestion, Praise, Applying}
}

// Kind is the kind of category that time limits are written for.
type Kind string

// The kinds.
const (
	KindQuality    Kind = "quality"    // 供热质量: too cold, not heated
	KindLeak       Kind = "leak"       // 漏水
	KindFacility   Kind = "facility"   // 设施
	KindFee        Kind = "fee"        // 收费
	KindMeasure    Kind = "measure"    // 测温退费
	KindConnection Kind = "connection" // 报装
	KindService    Kind = "service"    // 服务态度
	KindInquiry    Kind = "inquiry"    // 咨询
	KindIllegal    Kind = "illegal"    // 举报违法
	KindOpinion    Kind = "opinion"    // 建议表扬
)

func (Kind) values() []string {
	return []string{
		string(KindQuality), string(KindLeak), string(KindFacility), string(KindFee), string(KindMeasure),
		string(KindConnection), string(KindService), string(KindInquiry), string(KindIllegal), string(KindOpinion),
	}
}

// Door is the way a report comes in; what must be filled in differs by door.
type Door string

// The doors of intake.
const (
	DoorSeat    Door = "seat"
	DoorPeak    Door = "peak" // 高峰快录
	DoorWeb     Door = "web"
	DoorAPI     Door = "api"
	DoorImport  Door = "import"
	DoorOpen311 Door = "open311"
	DoorCounter Door = "counter"
)

// Entry is an entry standard: the fields that each door must and should ask for.
type Entry struct {
	Seat    *Fields `json:"seat,omitempty"`
	Peak    *Fields `json:"peak,omitempty"`
	Web     *Fields `json:"web,omitempty"`
	API     *Fields `json:"api,omitempty"`
	Import  *Fields `json:"import,omitempty"`
	Open311 *Fields `json:"open311,omitempty"`
	Counter *Fields `json:"counter,omitempty"`
	Origin
}

func (e *Entry) at(door string) *Fields {
	if e == nil {
		return nil
	}
	switch Door(door) {
	case DoorSeat:
		return e.Seat
	case DoorPeak:
		return e.Peak
	case DoorWeb:
		return e.Web
	case DoorAPI:
		return e.API
	case DoorImport:
		return e.Import
	case DoorOpen311:
		return e.Open311
	case DoorCounter:
		return e.Counter
	}
	return nil
}

// Fields are the names of intake fields.
type Fields struct {
	Required    []EntryField `json:"required,omitempty"`
	Recommended []EntryField `json:"recommended,omitempty"`
}

// EntryField names one field of the intake form.
type EntryField string

// The intake fields that an entry standard may ask for.
const (
	FieldAddress     EntryField = "address"
	FieldRoom        EntryField = "room"
	FieldAccount     EntryField = "account"
	FieldPhone       EntryField = "phone"
	FieldCaller      EntryField = "caller_name"
	FieldRelation    EntryField = "relation"
	FieldContact     EntryField = "contact"
	FieldScope       EntryField = "scope"
	FieldText        EntryField = "text"
	FieldNature      EntryField = "nature"
	FieldFloor       EntryField = "floor"
	FieldPosition    EntryField = "position"     // 顶、底、边户
	FieldHeating     EntryField = "heating"      // 采暖形式
	FieldRooms       EntryField = "rooms"        // all rooms or which
	FieldSince       EntryField = "since"        // since when
	FieldTemperature EntryField = "temperature"  // said, and by what thermometer
	FieldNeighbours  EntryField = "neighbours"   // neighbours too?
	FieldPaid        EntryField = "paid"         // fee paid?
	FieldLeak        EntryField = "leak"         // leak now?
	FieldTold        EntryField = "company_told" // already reported to the company, when, its number
	FieldCare        EntryField = "care"         // old, infant or ill at home
	FieldAvailable   EntryField = "available"    // when at home
	FieldSecret      EntryField = "secret"       // 保密
	FieldTestRequest EntryField = "test_request" // 测温申请
	FieldLocation    EntryField = "location"     // a point on the map
	FieldPhoto       EntryField = "photo"
	FieldAmount      EntryField = "amount"
	FieldSuspect     EntryField = "suspect" // who is reported
)

// EntryFields lists the intake fields in the order of the form.
func EntryFields() []EntryField {
	return []EntryField{
		FieldAddress, FieldRoom, FieldAccount, FieldPhone, FieldCaller, FieldRelation, FieldContact,
		FieldScope, FieldText, FieldNature, FieldFloor, FieldPosition, FieldHeating, FieldRooms, FieldSince,
		FieldTemperature, FieldNeighbours, FieldPaid, FieldLeak, FieldTold, FieldCare, FieldAvailable, FieldSecret,
		FieldTestRequest, FieldLocation, FieldPhoto, FieldAmount, FieldSuspect,
	}
}

func (EntryField) values() []string { return stringsOf(EntryFields()) }

// FormFieldType is how a field of the feedback form is filled in.
type FormFieldType string

// The types of form fields.
const (
	TypeText        FormFieldType = "text"
	TypeLongText    FormFieldType = "long_text"
	TypeTime        FormFieldType = "time"
	TypeDate        FormFieldType = "date"
	TypeTemperature FormFieldType = "temperature"
	TypeNumber      FormFieldType = "number"
	TypeYesNo       FormFieldType = "yes_no"
	TypeChoice      FormFieldType = "choice"
	TypeChoices     FormFieldType = "choices"
	TypePhotos      FormFieldType = "photos"
)

func (FormFieldType) values() []string {
	return []string{
		string(TypeText), string(TypeLongText), string(TypeTime), string(TypeDate), string(TypeTemperature),
		string(TypeNumber), string(TypeYesNo), string(TypeChoice), string(TypeChoices), string(TypePhotos),
	}
}

// Choice is one answer of a form field.
type Choice struct {
	Code string `json:"code" pack:"required"`
	Name Phrase `json:"name" pack:"required"`
}

// FormField is one field of the feedback form that the company fills in.
type FormField struct {
	Code     string        `json:"code" pack:"required"`
	Name     Phrase        `json:"name" pack:"required"`
	Type     FormFieldType `json:"type" pack:"required"`
	Required bool          `json:"required,omitempty"`
	Unless   string        `json:"unless,omitempty"` // required unless this yes-no field is true
	Choices  []Choice      `json:"choices,omitempty"`
}

// Category is one node of the two-level tree of matters.
type Category struct {
	Code         string      `json:"code" pack:"required"`
	Name         Phrase      `json:"name,omitzero"`
	Kind         Kind        `json:"kind,omitempty"`
	Nature       Nature      `json:"nature,omitempty"`
	Urgency      Urgency     `json:"urgency,omitempty"`
	Leak         bool        `json:"leak,omitempty"`
	AutoDispatch *bool       `json:"auto_dispatch,omitempty"`
	PhoneFirst   bool        `json:"phone_first,omitempty"` // 电话先行派遣: act first, file after
	Temperature  bool        `json:"needs_temperature,omitempty"`
	Direct       bool        `json:"direct_answer,omitempty"` // usually answered without a dispatch
	SecretCaller bool        `json:"secret_caller,omitempty"` // the caller is hidden from the company
	Keywords     []string    `json:"keywords,omitempty"`
	Entry        *Entry      `json:"entry,omitempty"`
	Feedback     []FormField `json:"feedback,omitempty"`
	Hidden       bool        `json:"hidden,omitempty"` // a city does not offer an inherited category
	Children     []*Category `json:"children,omitempty"`

	parent *Category
}

// Parent is the category above, nil at the top.
func (c *Category) Parent() *Category { return c.parent }

// MayAutoDispatch reports whether cases of the category may be dispatched in the transaction that files them.
func (c *Category) MayAutoDispatch() bool {
	if c.AutoDispatch != nil {
		return *c.AutoDispatch
	}
	return c.parent != nil && c.parent.MayAutoDispatch()
}

// inherit fills what a child leaves out from the category above.
func (c *Category) inherit(parent *Category) {
	c.parent = parent
	if parent != nil {
		if c.Kind == "" {
			c.Kind = parent.Kind
		}
		if c.Nature == "" {
			c.Nature = parent.Nature
		}
		if c.Urgency == "" {
			c.Urgency = parent.Urgency
		}
		if c.Entry == nil {
			c.Entry = parent.Entry
		}
		if c.Feedback == nil {
			c.Feedback = parent.Feedback
		}
		c.Leak = c.Leak || parent.Leak
		c.PhoneFirst = c.PhoneFirst || parent.PhoneFirst
		c.Temperature = c.Temperature || parent.Temperature
		c.Direct = c.Direct || parent.Direct
		c.SecretCaller = c.SecretCaller || parent.SecretCaller
	}
	if c.Urgency == "" {
		c.Urgency = Normal
	}
	for _, child := range c.Children {
		child.inherit(c)
	}
}

func stringsOf[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}
