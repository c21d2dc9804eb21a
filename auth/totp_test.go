package auth

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
)

// brokenKV is a store that cannot be reached.
type brokenKV struct{ store.KV }

func (brokenKV) Get(context.Context, string) ([]byte, error) { return nil, store.ErrUnavailable }
func (brokenKV) CompareAndSwap(context.Context, string, []byte, []byte, time.Duration) (bool, error) {
	return false, store.ErrUnavailable
}

func memoryKV(clock *ishaatest.Clock) store.KV {
	return store.NewMemory(store.MemoryOptions{Now: clock.Now})
}

// RFC 4226, appendix D.
func TestHOTPVectors(t *testing.T) {
	key := []byte("12345678901234567890")
	for counter, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := hotp(sha1.New, key, uint64(counter), 6); got != want {
			t.Errorf("counter %d: %s, want %s", counter, got, want)
		}
	}
}

// RFC 6238, appendix B, with the keys of its erratum 2866: as long as the hash.
func TestTOTPVectors(t *testing.T) {
	seed := strings.Repeat("1234567890", 7)
	for _, algorithm := range []struct {
		name string
		hash func() hash.Hash
		key  string
		want map[int64]string
	}{
		{"SHA1", sha1.New, seed[:20], map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"}},
		{"SHA256", sha256.New, seed[:32], map[int64]string{59: "46119246", 1111111109: "68084774", 1111111111: "67062674", 1234567890: "91819424", 2000000000: "90698825", 20000000000: "77737706"}},
		{"SHA512", sha512.New, seed[:64], map[int64]string{59: "90693936", 1111111109: "25091201", 1111111111: "99943326", 1234567890: "93441116", 2000000000: "38618901", 20000000000: "47863826"}},
	} {
		for at, want := range algorithm.want {
			clock := clockAt(time.Unix(at, 0))
			totp := NewTOTP(memoryKV(clock), TOTPOptions{Issuer: "Shop", Digits: 8, Algorithm: algorithm.name, Clock: clock})
			secret := base32Text.EncodeToString([]byte(algorithm.key))
			if got, err := totp.Code(secret, time.Unix(at, 0)); got != want || err != nil {
				t.Errorf("%s at %d: %s, %v, want %s", algorithm.name, at, got, err, want)
			}
			if ok, err := totp.Verify(context.Background(), "ann", secret, want); !ok || err != nil {
				t.Errorf("%s at %d: its code is refused: %v", algorithm.name, at, err)
			}
		}
	}
}

func TestTOTPVerify(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		skew int
		off  time.Duration // of the code's time
		want bool
	}{
		{"now", 0, 0, true},
		{"a period early", 0, 30 * time.Second, true},
		{"a period late", 0, -30 * time.Second, true},
		{"two periods early", 0, 60 * time.Second, false},
		{"two periods late", 0, -60 * time.Second, false},
		{"no skew, a period late", -1, -30 * time.Second, false},
		{"no skew, now", -1, 0, true},
		{"a skew of two", 2, -60 * time.Second, true},
		{"a skew of two, three late", 2, -90 * time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := clockAt(start)
			totp := NewTOTP(memoryKV(clock), TOTPOptions{Issuer: "Shop", Skew: c.skew, Clock: clock})
			secret := totp.NewSecret()
			code, err := totp.Code(secret, start.Add(c.off))
			if err != nil {
				t.Fatal(err)
			}
			if ok, err := totp.Verify(ctx, "ann", secret, code); ok != c.want || err != nil {
				t.Errorf("the code is accepted: %v, %v", ok, err)
			}
		})
	}
	clock := clockAt(start)
	totp := NewTOTP(memoryKV(clock), TOTPOptions{Issuer: "Shop", Clock: clock})
	secret := totp.NewSecret()
	code := made(totp.Code(secret, start))
	for i, wrong := range []string{"", "0", code[:5], code + "0", "0" + code, "abcdef", "-" + code[1:], strings.Repeat("9", 1<<16), "１２３４５６"} {
		if ok, err := totp.Verify(ctx, fmt.Sprint("ann", i), secret, wrong); ok || err != nil {
			t.Errorf("the code %.20q is accepted: %v, %v", wrong, ok, err)
		}
	}
	if ok, _ := totp.Verify(ctx, "ann", strings.ToLower(secret[:4])+" "+secret[4:], code[:3]+" "+code[3:]); !ok {
		t.Error("a code and a secret with spaces are refused")
	}
}

func TestTOTPReplay(t *testing.T) {
	ctx := context.Background()
	clock := clockAt(start)
	totp := NewTOTP(memoryKV(clock), TOTPOptions{Issuer: "Shop", Clock: clock, Tries: 100})
	secret := totp.NewSecret()
	verify := func(account string, at time.Time) bool {
		ok, err := totp.Verify(ctx, account, secret, made(totp.Code(secret, at)))
		if err != nil {
			t.Error(err)
		}
		return ok
	}
	if !verify("ann", start) || verify("ann", start) {
		t.Error("a code counts not once")
	}
	if verify("ann", start.Add(-30*time.Second)) {
		t.Error("an earlier code is accepted after a later one")
	}
	if !verify("bob", start) {
		t.Error("the code of another account counts as used")
	}
	for range 5 { // as long as it would be accepted, and after
		clock.Advance(15 * time.Second)
		if verify("ann", start) {
			t.Errorf("a used code is accepted %v later", clock.Now().Sub(start))
		}
	}
	if !verify("ann", clock.Now()) {
		t.Error("the next code is refused")
	}
	t.Run("in parallel", func(t *testing.T) {
		clock.Advance(time.Minute)
		code := made(totp.Code(secret, clock.Now()))
		var accepted atomic.Int32
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if ok, _ := totp.Verify(ctx, "ann", secret, code); ok {
					accepted.Add(1)
				}
			})
		}
		wg.Wait()
		if accepted.Load() != 1 {
			t.Errorf("one code is accepted %d times", accepted.Load())
		}
	})
}

// A wrong code costs time, and more of them cost more, however they come.
func TestTOTPIsThrottled(t *testing.T) {
	ctx := context.Background()
	clock := clockAt(start)
	totp := NewTOTP(memoryKV(clock), TOTPOptions{Issuer: "Shop", Clock: clock})
	secret := totp.NewSecret()
	right := func() string { return made(totp.Code(secret, clock.Now())) }
	var looked atomic.Int32
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if ok, err := totp.Verify(ctx, "ann", secret, "000000x"); err == nil && !ok {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if n := looked.Load(); n < 1 || n > 6 {
		t.Errorf("%d wrong codes are looked at", n)
	}
	for looked.Load() < 6 {
		if _, err := totp.Verify(ctx, "ann", secret, "000000x"); err == nil {
			looked.Add(1)
		}
	}
	ok, err := totp.Verify(ctx, "ann", secret, right())
	var problem *ishaa.Problem
	if ok || !errors.As(err, &problem) || problem.Status != 429 || problem.Header.Get("Retry-After") != "1" {
		t.Errorf("the right code too early: %v, %v", ok, err)
	}
	if ok, err := totp.Verify(ctx, "bob", secret, right()); !ok || err != nil {
		t.Errorf("another account: %v, %v", ok, err)
	}
	clock.Advance(time.Second)
	if ok, err := totp.Verify(ctx, "ann", secret, right()); !ok || err != nil {
		t.Errorf("after the delay: %v, %v", ok, err)
	}
	clock.Advance(30 * time.Second)
	for range 6 { // a right code has cleared the count
		if _, err := totp.Verify(ctx, "ann", secret, "000000x"); err != nil {
			t.Error(err)
		}
	}
	day, guesses := clock.Now().Add(24*time.Hour), 0
	for clock.Now().Before(day) {
		if _, err := totp.Verify(ctx, "ann", secret, "000000x"); err == nil {
			guesses++
		}
		clock.Advance(10 * time.Second)
	}
	if guesses > 150 {
		t.Errorf("%d guesses a day", guesses)
	}
}

func TestTOTPFails(t *testing.T) {
	ctx := context.Background()
	totp := NewTOTP(brokenKV{}, TOTPOptions{Issuer: "Shop"})
	secret := totp.NewSecret()
	ok, err := totp.Verify(ctx, "ann", secret, made(totp.Code(secret, time.Now())))
	var problem *ishaa.Problem
	if ok || !errors.As(err, &problem) || problem.Status != 503 || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without the store: %v, %v", ok, err)
	}
	for _, bad := range []string{"", "!!!!", "hunter2hunter2hunter2hunter2hunter8", "MFRGG"} {
		if _, err := totp.Verify(ctx, "ann", bad, "123456"); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("the secret %q: %v", bad, err)
		}
	}
	for name, options := range map[string]TOTPOptions{
		"Issuer": {}, "colon": {Issuer: "a:b"}, "7 Digits": {Issuer: "a", Digits: 7}, "Period": {Issuer: "a", Period: 1500 * time.Millisecond},
		"Skew": {Issuer: "a", Skew: 11}, "Algorithm": {Issuer: "a", Algorithm: "MD5"},
	} {
		mustContain(t, panicText(func() { NewTOTP(brokenKV{}, options) }), "auth.NewTOTP", name)
	}
	mustContain(t, panicText(func() { NewTOTP(nil, TOTPOptions{}) }), "store.Open")
}

func TestTOTPURI(t *testing.T) {
	totp := NewTOTP(brokenKV{}, TOTPOptions{Issuer: "Tea & Cup"})
	uri, err := totp.URI("jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp", "ann+x@shop.example")
	want := "otpauth://totp/Tea%20%26%20Cup:ann%2Bx%40shop.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Tea%20%26%20Cup&algorithm=SHA1&digits=6&period=30"
	if err != nil || uri != want {
		t.Errorf("%s, %v\nwant %s", uri, err, want)
	}
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Path != "/Tea & Cup:ann+x@shop.example" || parsed.Query().Get("issuer") != "Tea & Cup" {
		t.Errorf("it parses as %+v, %v", parsed, err)
	}
	for _, account := range []string{"", "a:b"} {
		if _, err := totp.URI(totp.NewSecret(), account); err == nil {
			t.Errorf("the account %q has a URI", account)
		}
	}
	if a, b := totp.NewSecret(), totp.NewSecret(); a == b || len(a) != 32 {
		t.Errorf("the secrets %s and %s", a, b)
	}
	if text := fmt.Sprintf("%v %+v", totp, totp); strings.Contains(text, "0x") {
		t.Errorf("it prints as %s", text)
	}
}

func TestRecoveryCodes(t *testing.T) {
	codes, stored := NewRecoveryCodes()
	if len(codes) != 10 || stored.Left() != 10 {
		t.Fatalf("there are %q", codes)
	}
	seen := map[string]bool{}
	for _, code := range codes {
		if len(code) != 19 || seen[code] {
			t.Errorf("the code %q", code)
		}
		seen[code] = true
	}
	data, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range codes {
		if strings.Contains(string(data), code) || strings.Contains(string(data), strings.ReplaceAll(code, "-", "")) {
			t.Error("a code is stored as it is")
		}
	}
	var read RecoveryCodes
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "aaaa-aaaa-aaaa-aaaa", codes[0][:18], strings.Repeat("a", 1<<20)} {
		if read.Use(wrong) {
			t.Errorf("%.20q is a code", wrong)
		}
	}
	if !read.Use(codes[3]) || read.Use(codes[3]) || read.Left() != 9 {
		t.Error("a code counts not once")
	}
	if !read.Use(strings.ToUpper(strings.ReplaceAll(codes[4], "-", " "))) {
		t.Error("a code in capitals is refused")
	}
	for i, code := range codes {
		if i != 3 && i != 4 && !read.Use(code) {
			t.Errorf("code %d is refused", i)
		}
	}
	if read.Left() != 0 || read.Use(codes[0]) {
		t.Error("there are codes left")
	}
	if data, _ := json.Marshal(read); string(data) != "[]" {
		t.Errorf("none are written as %s", data)
	}
}

func FuzzTOTPSecret(f *testing.F) {
	totp := NewTOTP(store.NewMemory(store.MemoryOptions{}), TOTPOptions{Issuer: "Shop", Tries: 1 << 20})
	f.Add("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "123456")
	f.Add("jbsw-y3dp====", "")
	f.Fuzz(func(t *testing.T, secret, code string) {
		ok, err := totp.Verify(context.Background(), "ann", secret, code)
		if _, bad := decodeSecret(secret); (bad != nil) != (err != nil) || ok && err != nil {
			t.Errorf("%q: %v, %v", secret, ok, err)
		}
	})
}
