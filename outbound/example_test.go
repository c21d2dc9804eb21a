package outbound_test

import (
	"errors"
	"fmt"

	"github.com/ishaa-framework/ishaa/outbound"
)

func Example() {
	client := outbound.New(outbound.Options{Hosts: []string{"api.example.com", "*.partner.example"}})
	for _, url := range []string{
		"https://169.254.169.254/latest/meta-data/",
		"https://api.example.com@evil.example/",
		"http://api.example.com/",
	} {
		_, err := client.Get(url)
		var refused *outbound.Refused
		if errors.As(err, &refused) {
			fmt.Println(refused)
		}
	}
	// Output:
	// outbound: "169.254.169.254" is refused: host or port are not in Options.Hosts
	// outbound: "evil.example" is refused: the URL has a user or password; set the header Authorization instead
	// outbound: "api.example.com" is refused: the URL is not https; Options.PlainHTTP allows http
}
