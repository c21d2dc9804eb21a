// Package httpcache reads what requests and answers say about being remembered (RFC 9111): directives of Cache-Control,
// freshness, Vary, and conditions. It is shared by package cache and the engine sare.
package httpcache

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// directives are those of Cache-Control (RFC 9111 §5.2), with the value that each
// has or "". Of one that is given twice the smaller number counts.
type directives map[string]string

func parseDirectives(values []string) directives {
	var list directives
	for _, value := range values {
		for value != "" {
			var item string
			item, value = nextItem(value)
			name, argument, _ := strings.Cut(item, "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if name == "" {
				continue
			}
			argument = strings.Trim(strings.TrimSpace(argument), `"`)
			if list == nil {
				list = directives{}
			}
			if old, twice := list[name]; twice && seconds(old) <= seconds(argument) {
				continue
			}
			list[name] = argument
		}
	}
	return list
}

// nextItem cuts a list at its first comma that is not within quotes.
func nextItem(value string) (item, rest string) {
	quoted := false
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '"':
			quoted = !quoted
		case '\\':
			if quoted {
				i++
			}
		case ',':
			if !quoted {
				return value[:i], value[i+1:]
			}
		}
	}
	return value, ""
}

func (d directives) has(names ...string) bool {
	for _, name := range names {
		if _, ok := d[name]; ok {
			return true
		}
	}
	return false
}

// age returns a directive's seconds as a duration. What is not a number is 0, so
// that a mistake never makes anything last longer (RFC 9111 §4.2.1).
func (d directives) age(name string) (time.Duration, bool) {
	text, ok := d[name]
	return time.Duration(seconds(text)) * time.Second, ok
}

func seconds(text string) int64 {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		if len(text) > 9 && strings.Trim(text, "0123456789") == "" {
			return 1 << 31 // too large a number is a very long time (RFC 9111 §1.2.2)
		}
		return 0
	}
	return int64(n)
}

// The statuses that a cache may keep by itself (RFC 9110 §15.1), but for partial
// content and those that say something about the server's abilities.
func keptStatus(status int) bool {
	switch status {
	case http.StatusOK, http.StatusNonAuthoritativeInfo, http.StatusNoContent, http.StatusMultipleChoices,
		http.StatusMovedPermanently, http.StatusPermanentRedirect, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

// Freshness is how long an answer may be kept by what it says itself, at most ttl;
// 0 is not at all. Strict says that it must not be given out stale.
func Freshness(status int, header http.Header, now time.Time, ttl time.Duration) (fresh time.Duration, strict bool) {
	control := parseDirectives(header["Cache-Control"])
	switch {
	case !keptStatus(status), len(header["Set-Cookie"]) > 0, len(header["Content-Range"]) > 0,
		control.has("private", "no-store", "no-cache"), len(header["Pragma"]) > 0 && len(control) == 0:
		return 0, true
	}
	strict = control.has("must-revalidate", "proxy-revalidate", "s-maxage")
	if age, ok := control.age("s-maxage"); ok {
		return min(ttl, age), strict
	}
	if age, ok := control.age("max-age"); ok {
		return min(ttl, age), strict
	}
	if expires, given := header["Expires"]; given {
		until, err := http.ParseTime(strings.Join(expires, ","))
		if err != nil {
			return 0, true
		}
		return min(ttl, max(until.Sub(now), 0)), strict
	}
	return ttl, strict
}

// VaryNames lists the headers that an answer says it depends on. It is not ok for
// "*", which is any.
func VaryNames(header http.Header) (names []string, ok bool) {
	for _, value := range header["Vary"] {
		for name := range strings.SplitSeq(value, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			switch name {
			case "":
			case "*":
				return nil, false
			default:
				names = append(names, name)
			}
		}
	}
	return names, true
}

// Demands are what a request wants of a cache.
type Demands struct {
	Bypass bool          // neither look nor keep
	Reload bool          // do not look
	Only   bool          // only look
	MaxAge time.Duration // the oldest that will do; negative for any
	Spare  time.Duration // how much longer it has to be fresh
}

// DemandsOf reads a request's Cache-Control and, where it has none, its Pragma.
func DemandsOf(control, pragma []string) Demands {
	d := parseDirectives(control)
	want := Demands{MaxAge: -1, Bypass: d.has("no-store"), Only: d.has("only-if-cached"), Reload: d.has("no-cache")}
	if len(control) == 0 && slices.ContainsFunc(pragma, func(value string) bool {
		return strings.Contains(strings.ToLower(value), "no-cache")
	}) {
		want.Reload = true // RFC 9111 §5.4
	}
	if age, ok := d.age("max-age"); ok {
		want.MaxAge = age
	}
	want.Spare, _ = d.age("min-fresh")
	return want
}

// Unmodified reports whether the client has the answer already (RFC 9110 §13.1).
func Unmodified(ifNoneMatch, ifModifiedSince string, header http.Header) bool {
	if ifNoneMatch != "" {
		etag := strings.TrimPrefix(header.Get("Etag"), "W/")
		for item := ifNoneMatch; item != "" && etag != ""; {
			var one string
			one, item = nextItem(item)
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == etag {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(ifModifiedSince)
	if err != nil {
		return false
	}
	modified, err := http.ParseTime(header.Get("Last-Modified"))
	return err == nil && !modified.After(since)
}
