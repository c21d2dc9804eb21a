package cache

import (
	"bytes"
	"net/http"
	"testing"
	"time"
)

func FuzzParseEntry(f *testing.F) {
	e := newEntry(kindJSON, []byte(`{"a":1}`), time.Unix(1, 0), time.Minute, time.Hour, []version{{1, 2}, {4096, 1 << 63}})
	f.Add(e.append(nil))
	f.Add((&entry{kind: kindLease}).append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parseEntry(data)
		if err != nil {
			return
		}
		again, err := parseEntry(e.append(nil))
		if err != nil || !bytes.Equal(again.append(nil), e.append(nil)) {
			t.Errorf("%x is read differently once written: %v", data, err)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	a := &answer{status: 200, header: http.Header{"A": {"1", "2"}, "B": {""}}, body: []byte("body")}
	f.Add(a.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := parseAnswer(data)
		if err != nil {
			return
		}
		again, err := parseAnswer(a.append(nil))
		if err != nil || !bytes.Equal(again.append(nil), a.append(nil)) {
			t.Errorf("%x is read differently once written: %v", data, err)
		}
	})
}
