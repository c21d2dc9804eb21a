package auth

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Registered is the registered claims of RFC 7519 §4.1, to be embedded in the
// claims of a program:
//
//	type Claims struct {
//		auth.Registered
//		Roles []string `json:"roles,omitempty"`
//	}
type Registered struct {
	Issuer    string `json:"iss,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  Names  `json:"aud,omitempty"`
	ExpiresAt Time   `json:"exp,omitzero"`
	NotBefore Time   `json:"nbf,omitzero"`
	IssuedAt  Time   `json:"iat,omitzero"`
	ID        string `json:"jti,omitempty"`
}

// Names is a list of names that stands in JSON as text when it has one element.
type Names []string

// MarshalJSON writes text for one name and a list for others.
func (n Names) MarshalJSON() ([]byte, error) {
	if len(n) == 1 {
		return json.Marshal(n[0])
	}
	return json.Marshal([]string(n))
}

// UnmarshalJSON reads text or a list of text.
func (n *Names) UnmarshalJSON(data []byte) error {
	list, ok := jsonTexts(data)
	if !ok {
		return errors.New("auth: Names are text or a list of text")
	}
	*n = list
	return nil
}

// Time is a NumericDate: in JSON, whole seconds since 1970.
type Time struct{ time.Time }

// MarshalJSON writes the seconds.
func (t Time) MarshalJSON() ([]byte, error) {
	seconds := t.Unix()
	if seconds < 0 || seconds > latestDate {
		return nil, errDate
	}
	return strconv.AppendInt(nil, seconds, 10), nil
}

// UnmarshalJSON reads the seconds.
func (t *Time) UnmarshalJSON(data []byte) error {
	var seconds int64
	if err := readDate(data, &seconds); err != nil {
		return err
	}
	t.Time = time.Unix(seconds, 0).UTC()
	return nil
}
