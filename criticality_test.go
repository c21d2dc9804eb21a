package ishaa_test

import (
	"testing"

	"github.com/ishaa-framework/ishaa"
)

func TestCriticality(t *testing.T) {
	for level, name := range map[ishaa.Level]string{
		ishaa.Standard: "standard", ishaa.DataCritical: "data_critical",
		ishaa.SecurityCritical: "security_critical", ishaa.FinancialCore: "financial_core",
	} {
		if level.String() != name {
			t.Errorf("level %d is called %q", level, level)
		}
		if got, ok := ishaa.ParseLevel(name); got != level || !ok {
			t.Errorf("%q is level %v, %v", name, got, ok)
		}
	}
	if level, ok := ishaa.ParseLevel("Financial_Core"); level != ishaa.Standard || ok {
		t.Errorf("a name that there is not is %v, %v", level, ok)
	}
	if name := ishaa.Level(9).String(); name != "unknown" {
		t.Errorf("a level that there is not is called %q", name)
	}

	app := ishaa.New("test")
	pay := app.Post("/payment", func(*ishaa.Request) (any, error) { return nil, nil }, ishaa.Criticality.On(ishaa.FinancialCore))
	home := app.Get("/", func(*ishaa.Request) (any, error) { return nil, nil })
	if level, ok := ishaa.Criticality.Of(pay); level != ishaa.FinancialCore || !ok {
		t.Errorf("the payment is %v, %v", level, ok)
	}
	if level, ok := ishaa.Criticality.Of(home); level != ishaa.Standard || ok {
		t.Errorf("the home page is %v, %v", level, ok)
	}
}
