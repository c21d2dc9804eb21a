// Package billing has a type that is named like one of package sample.
package billing

// Address is where the bill goes.
type Address struct {
	Lines []string `json:"lines" minItems:"1" maxItems:"4" maxLength:"60" required:"true"`
	VAT   *string  `json:"vat,omitempty" pattern:"^[A-Z]{2}[0-9]{6,12}$" example:"DE123456789"`
}
