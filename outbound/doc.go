// Package outbound makes requests to other servers on behalf of a program whose
// visitors have a say in where they go: webhooks, imports by URL, previews. A client
// of it reaches the hosts it was told and no others, whatever a URL, a redirect or
// the name service says (server-side request forgery, OWASP ASVS 5.0 V1.3.6).
//
//	package main
//
//	import (
//		"fmt"
//		"io"
//
//		"github.com/ishaa-framework/ishaa/outbound"
//	)
//
//	func main() {
//		client := outbound.New(outbound.Options{Hosts: []string{"api.example.com", "*.partner.example"}})
//		res, err := client.Get("https://api.example.com/rates")
//		if err != nil {
//			fmt.Println(err)
//			return
//		}
//		defer res.Body.Close()
//		rates, err := io.ReadAll(res.Body) // 10 MiB at most
//		fmt.Println(len(rates), err)
//	}
//
// # What is checked, and when
//
// Scheme, host and port are compared with Options.Hosts for every request and every
// redirect. Names that some system reads as a number (127.1, 0x7f000001) are none.
// The address is checked when the connection is made, after the name was looked up:
// so a name that means one address when it is checked and another when it is used
// (DNS rebinding) gains nothing. Only public addresses pass; loopback, private,
// link-local, carrier-grade NAT, multicast, documentation and tunnelled ones (6to4,
// Teredo, NAT64) do not, unless Options.Networks has them. Proxies of the environment
// are not used, since the address would be theirs.
//
// Under effect.WithShadow only GET, HEAD and OPTIONS are sent; other requests are
// reported, and answered with an empty 202.
package outbound
