package main

import (
	"fmt"
	"io"
	"strings"
)

// stops are what the tour prints: what to see, and a command that shows it. SHOP stands for the address.
var stops = []struct{ title, command string }{
	{"a page", `curl SHOP/`},
	{"a page with a parameter", `curl SHOP/albums/48`},
	{"a search; what it is given comes back escaped", `curl 'SHOP/search?q=miles+%3Cb%3E'`},
	{"a block of that page without the rest, as a script asks for it", `curl 'SHOP/search/results?q=davis+essential'`},
	{"a form with mistakes: its page again, with each beside its field", `curl -H 'Accept: text/html' -d album=48 -d name=A -d email=ann -d copies=9 -d day=soon SHOP/reservations`},
	{"the same mistakes for a program", `curl -d album=48 -d name=A -d email=ann -d copies=9 -d day=soon SHOP/reservations`},
	{"a static file, and how long it may be kept", `curl -I SHOP/static/shop.css`},
	{"the same page for another host", `curl -H 'Host: jazz.shop.example' SHOP/`},
	{"a cookie, and a redirect that stays on this site", `curl -i -d genre=Blues -d next=//evil.example SHOP/favourite`},
	{"the page as the cookie's owner sees it", `curl -b favourite=Blues SHOP/`},
	{"what a page says about security", `curl -I SHOP/`},
	{"a write from another site is refused", `curl -H 'Sec-Fetch-Site: cross-site' -d genre=Blues SHOP/favourite`},
	{"the shop's own 404 page, for browsers", `curl -H 'Accept: text/html' SHOP/nowhere`},
	{"a page for members: the way to it leads over the sign-in page", `curl -i -H 'Accept: text/html' SHOP/account`},
	{"a registration that does not fit", `curl -d name=Ann -d email=ann@example.com -d password=password1 SHOP/register`},
	{"whether it is ready for visitors", `curl SHOP/-/ready`},

	{"JSON, a page of a list", `curl 'SHOP/api/v1/albums?genre=Jazz&sort=-title&size=5'`},
	{"JSON, who has made most albums", `curl 'SHOP/api/v1/artists?sort=-albums&size=3'`},
	{"JSON, one album", `curl SHOP/api/v1/albums/48`},
	{"JSON, the short tracks", `curl 'SHOP/api/v1/tracks?genre=Jazz&longest=2m30s'`},
	{"JSON, a search", `curl 'SHOP/api/v1/search?q=davis+essential'`},
	{"tips for whom the cookie says you are", `curl -b favourite=Blues SHOP/api/v1/tips`},
	{"a problem (RFC 9457): no such album", `curl SHOP/api/v1/albums/9999`},
	{"a wrong method, and which are right", `curl -i -X DELETE SHOP/api/v1/albums`},
	{"a query that is wrong three times: all of it is said at once", `curl 'SHOP/api/v1/albums?genre=Polka&page=0&size=ten'`},
	{"a path parameter that is out of range", `curl SHOP/api/v1/albums/0`},

	{"an order: 201, where it is, and how many more you may send", `curl -i --json '{"items": [{"track": 598, "quantity": 2}]}' SHOP/api/v1/orders`},
	{"an order that does not fit: JSON pointers say where", `curl --json '{"items": [{"track": 598, "quantity": 0}, {"quantity": "two"}]}' SHOP/api/v1/orders`},
	{"an order that fits, for a track that is not there", `curl --json '{"items": [{"track": 9999}]}' SHOP/api/v1/orders`},
	{"JSON that is malformed, and where", `curl --json '{"items": [{"track": 598,}]}' SHOP/api/v1/orders`},
	{"JSON that two programs could read differently", `curl --json '{"items": [], "items": [{"track": 1}]}' SHOP/api/v1/orders`},
	{"the API as OpenAPI; its pages are at /docs", `curl 'SHOP/openapi.yaml'`},
	{"GraphQL, with a part of a long list; its editor is at /graphql", `curl --json '{"query": "{albums(genre: JAZZ, first: 2) {totalCount nodes {title artist {name}} pageInfo {endCursor}}}"}' SHOP/graphql`},
	{"GraphQL, an order that only members may place", `curl --json '{"query": "mutation {placeOrder(items: [{track: 598}]) {id}}"}' SHOP/graphql`},
	{"a subscription by server-sent events", `curl -N 'SHOP/graphql/stream?query=subscription%7BnowPlaying(after:597,count:1)%7Bname%7D%7D'`},

	{"a sequence as a JSON array", `curl 'SHOP/tracks?genre=Opera'`},
	{"the same sequence, one JSON value a line", `curl -H 'Accept: application/x-ndjson' 'SHOP/tracks?genre=Blues'`},
	{"a table that is sent as it is made", `curl SHOP/sales.csv`},
	{"server-sent events: two tracks of the shop's radio", `curl -N 'SHOP/now-playing?count=2'`},
	{"the radio from where a client left off", `curl -N -H 'Last-Event-ID: 597' 'SHOP/now-playing?count=1'`},
	{"a download with a name", `curl -O -J SHOP/albums/48/tracklist`},
	{"an upload: one album's cover for another", `curl -s SHOP/albums/1/cover | curl -i -F 'cover=@-;filename=cover.png' SHOP/albums/48/cover`},
	{"a WebSocket, without its handshake", `curl -i SHOP/chat/socket`},
	{"a job in the background, and how far it is until it is done", `curl -N -L -H 'Accept: text/event-stream' -d genre=Jazz SHOP/letters`},
	{"a handler of net/http", `curl SHOP/old/stock`},
}

// printTour says where the shop is and what to try there. Every line that begins with curl can be pasted into a shell.
func printTour(out io.Writer, shop string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "The record shop is open: visit %s with a browser, or try:\n\n", shop)
	for _, stop := range stops {
		fmt.Fprintf(&text, "# %s\n%s\n", stop.title, strings.ReplaceAll(stop.command, "SHOP", shop))
	}
	fmt.Fprint(&text, "\nCtrl+C closes it. With the argument routes it lists its routes instead, with -h all that it can do.\n\n")
	_, err := io.WriteString(out, text.String())
	return err
}
