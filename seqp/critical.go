package seqp

import (
	"fmt"
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// Purpose holds why a route is critical, in the words of who said so.
var Purpose = ishaa.NewAnnotation[string]("critical because")

// Critical says how critical a route is: "financial_core", "security_critical", "data_critical" or "standard", and
// optionally what for. The level is the route's ishaa.Criticality, which other engines read too. Another name stops the
// program at the registration.
func Critical(level string, description ...string) ishaa.RouteOption {
	return ishaa.OptionFunc(func(route *ishaa.Route) error {
		known, ok := ishaa.ParseLevel(level)
		if !ok {
			return fmt.Errorf("seqp.Critical: there is no level %q: use financial_core, security_critical, data_critical or standard", level)
		}
		if err := route.Annotate(ishaa.Criticality, known); err != nil {
			return err
		}
		if text := strings.Join(description, " "); text != "" {
			return route.Annotate(Purpose, text)
		}
		return nil
	})
}

// levelOf is the criticality of a route.
func levelOf(route *ishaa.Route) ishaa.Level {
	level, _ := ishaa.Criticality.Of(route)
	return level
}
