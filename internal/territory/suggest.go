package territory

// Suggestion is one community offered while a seat types.
type Suggestion struct {
	CommunityID string `json:"community_id"`
	Name        string `json:"name"`
	District    string `json:"district"` // name
	Company     string `json:"company"`  // code
	Area        string `json:"area"`
	Why         string `json:"why"` // the name or alias that fits
}

type searcher struct{}

func newSearcher([]Community) searcher { return searcher{} }
