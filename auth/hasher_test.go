package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

func TestDefaultsAreThoseOfOWASP(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	hash, err := h.Hash("correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || len(hash) != 31+22+1+43 {
		t.Errorf("the hash is %q", hash)
	}
	if ok, rehash := h.Verify("correct horse battery", hash); !ok || rehash {
		t.Errorf("Verify: %v, rehash %v", ok, rehash)
	}
	if s := NewHasher(HasherOptions{PBKDF2: true}).current; s != (pbkdf2SHA256{600_000}) {
		t.Errorf("PBKDF2 is %+v", s)
	}
}

func TestHashesAreSalted(t *testing.T) {
	h := NewHasher(quick())
	one, _ := h.Hash("correct horse battery")
	two, _ := h.Hash("correct horse battery")
	if one == two {
		t.Error("two hashes of one password are the same")
	}
}

// Hashes that other programs have made.
func TestVerifyForeignHashes(t *testing.T) {
	h := NewHasher(quick())
	for _, c := range []struct{ name, password, hash string }{
		{"argon2id of the reference program", "password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		{"bcrypt 2a", "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		{"bcrypt 2y", "U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		{"Django", "lètmein", "pbkdf2_sha256$20000$seasalt2$Flpve/uAcyo6+IFI6YAhjeABGPVbRQjzHDxRhqxewgw="},
		{"Werkzeug", "hunter2", "pbkdf2:sha256:1000$salty$" + werkzeugHash},
		{"passlib", "password", "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, rehash := h.Verify(c.password, c.hash)
			if !ok || !rehash {
				t.Errorf("Verify: %v, rehash %v", ok, rehash)
			}
			if ok, rehash := h.Verify(c.password+"x", c.hash); ok || rehash {
				t.Errorf("another password: %v, rehash %v", ok, rehash)
			}
		})
	}
}

const werkzeugHash = "8b243bc6dc6c33608d06dff5aa57d40286bd42e49098eca705a99e94cfbe3fdf"

func TestRehash(t *testing.T) {
	strong := NewHasher(HasherOptions{Memory: 128, Passes: 2})
	fips := NewHasher(HasherOptions{PBKDF2: true, Rounds: 20})
	of := func(h *Hasher) string { return made(h.Hash("correct horse battery")) }
	for _, c := range []struct {
		name   string
		hasher *Hasher
		hash   string
		rehash bool
	}{
		{"the same", strong, of(strong), false},
		{"less memory", strong, of(NewHasher(HasherOptions{Memory: 64, Passes: 2})), true},
		{"fewer passes", strong, of(NewHasher(HasherOptions{Memory: 128, Passes: 1})), true},
		{"more of both", strong, of(NewHasher(HasherOptions{Memory: 256, Passes: 3})), false},
		{"another algorithm", strong, of(fips), true},
		{"the other way", fips, of(strong), true},
		{"fewer rounds", fips, of(NewHasher(HasherOptions{PBKDF2: true, Rounds: 19})), true},
		{"more rounds", fips, of(NewHasher(HasherOptions{PBKDF2: true, Rounds: 21})), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, rehash := c.hasher.Verify("correct horse battery", c.hash)
			if !ok || rehash != c.rehash {
				t.Errorf("Verify: %v, rehash %v", ok, rehash)
			}
		})
	}
}

func TestRehashTakesWhatThePolicyDoesNot(t *testing.T) {
	h := NewHasher(quick())
	hash, err := h.Rehash(t.Context(), "abc")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := h.Verify("abc", hash); !ok {
		t.Error("the hash does not verify")
	}
	for _, password := range []string{strings.Repeat("x", MaxPassword+1), "a\x00b"} {
		if _, err := h.Rehash(t.Context(), password); err == nil {
			t.Errorf("%.10q is hashed, and could not be verified", password)
		}
	}
}

// Every character of a long password counts.
func TestNothingIsCutOff(t *testing.T) {
	for _, o := range []HasherOptions{quick(), {PBKDF2: true, Rounds: 10}} {
		h := NewHasher(o)
		for _, length := range []int{8, 55, 56, 64, 71, 72, 73, 128, 256} {
			password := strings.Repeat("gL7 ", length)[:length]
			hash, err := h.Hash(password)
			if err != nil {
				t.Fatal(length, err)
			}
			if ok, _ := h.Verify(password, hash); !ok {
				t.Errorf("%d characters do not verify", length)
			}
			for _, other := range []string{password[:length-1], password[:length-1] + "!", password + "!", strings.ToUpper(password), " " + password, password + "\n", password + "\x00"} {
				if ok, _ := h.Verify(other, hash); ok {
					t.Errorf("%d characters: %q verifies too", length, other)
				}
			}
		}
	}
}

// bcrypt looks at 72 bytes and stops at a NUL: what is beyond must not be forgotten.
func TestBcryptIsNotCutOff(t *testing.T) {
	h := NewHasher(quick())
	for _, c := range []struct{ name, password, hash string }{
		{"72 bytes", strings.Repeat("a", 72), bcrypt72},
		{"73 bytes", strings.Repeat("a", 73), ""},
		{"a NUL", strings.Repeat("a", 71) + "\x00", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, _ := h.Verify(c.password, bcrypt72)
			if want := c.hash != ""; ok != want {
				t.Errorf("Verify: %v, want %v", ok, want)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	h := NewHasher(quick())
	good := made(h.Rehash(t.Context(), "secret"))
	parts := strings.Split(good, "$")
	with := func(i int, text string) string {
		changed := slices.Clone(parts)
		changed[i] = text
		return strings.Join(changed, "$")
	}
	for _, hash := range []string{
		"", "x", "$", "$$$$$", "secret", "!", "*", good + "$", "$" + good, good[:len(good)-1], good + "A", good + "=",
		with(1, "argon2i"), with(1, "argon2d"), with(1, "ARGON2ID"), with(2, "v=16"), with(2, ""), with(3, ""),
		with(3, "m=64,t=1"), with(3, "t=1,m=64,p=1"), with(3, "m=64,t=1,p=1,x=1"), with(3, "m=064,t=1,p=1"), with(3, "m=+64,t=1,p=1"),
		with(3, "m=0,t=1,p=1"), with(3, "m=64,t=0,p=1"), with(3, "m=64,t=1,p=0"), with(3, "m=-64,t=1,p=1"), with(3, "m=64,t=1,p=256"),
		with(3, "m=4294967295,t=1,p=1"), with(3, "m=64,t=4294967295,p=1"), with(3, "m=99999999999999999999,t=1,p=1"),
		with(4, ""), with(4, "AA"), with(4, "!!!!!!!!"), with(5, ""), with(5, "AAAA"), with(5, strings.Repeat("A", 4000)),
		"pbkdf2_sha256$0$salt$" + strings.Repeat("a", 64), "pbkdf2_sha256$2000000000$salt$" + strings.Repeat("a", 64),
		"pbkdf2_sha256$10$$" + strings.Repeat("a", 64), "pbkdf2_sha256$10$salt", "pbkdf2_sha256$10$salt$", "pbkdf2_sha1$10$salt$" + strings.Repeat("a", 40),
		"pbkdf2:sha256:$salt$" + strings.Repeat("a", 64), "pbkdf2:md5:10$salt$" + strings.Repeat("a", 64), "$pbkdf2-sha256$i=$c2FsdHNhbHQ$" + strings.Repeat("a", 64),
		"$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2a$05$short",
	} {
		for _, password := range []string{"secret", "", hash} {
			before := h.spent.Load()
			if ok, rehash := h.Verify(password, hash); ok || rehash {
				t.Errorf("Verify(%q, %q): %v, rehash %v", password, hash, ok, rehash)
			}
			if h.spent.Load() == before {
				t.Errorf("%q is refused without any work", hash)
			}
		}
	}
}

// An account that does not exist takes the same work as one that does: what is
// counted are passes over memory, or rounds.
func TestUnknownAccountsTakeTheSameWork(t *testing.T) {
	for _, o := range []HasherOptions{quick(), {PBKDF2: true, Rounds: 10}} {
		h := NewHasher(o)
		known := made(h.Hash("correct horse battery"))
		work := func(password, hash string) uint64 {
			before := h.spent.Load()
			h.Verify(password, hash)
			return h.spent.Load() - before
		}
		want := work("correct horse battery", known)
		for _, c := range []struct{ name, password, hash string }{
			{"a wrong password", "wrong horse battery", known},
			{"an empty password", "", known},
			{"an unknown account", "correct horse battery", ""},
			{"a locked account", "correct horse battery", "!"},
			{"a password that is too long", strings.Repeat("x", MaxPassword+1), known},
			{"both", strings.Repeat("x", MaxPassword+1), ""},
		} {
			if got := work(c.password, c.hash); got != want || want == 0 {
				t.Errorf("%s takes %d, a right one %d", c.name, got, want)
			}
		}
	}
}

// The medians of real times, known and unknown accounts taking turns.
func TestUnknownAccountsTakeTheSameTime(t *testing.T) {
	if !testenv.Long() {
		t.Skip("a comparison of times; the work is compared above")
	}
	h := NewHasher()
	known := made(h.Hash("correct horse battery"))
	const rounds = 60
	var times [2][]time.Duration
	for range rounds {
		for i, hash := range []string{known, ""} {
			began := time.Now()
			h.Verify("wrong horse battery", hash)
			times[i] = append(times[i], time.Since(began))
		}
	}
	var medians [2]float64
	for i := range times {
		slices.Sort(times[i])
		medians[i] = times[i][rounds/2].Seconds()
	}
	ratio := medians[1] / medians[0]
	t.Logf("known %.1f ms, unknown %.1f ms, ratio %.3f", 1e3*medians[0], 1e3*medians[1], ratio)
	if ratio < 0.8 || ratio > 1.25 {
		t.Errorf("an unknown account takes %.2f times as long as a known one", ratio)
	}
}

// Only so many hashes are computed at a time; callers beyond the queue are sent away
// at once, and those whose client is gone leave it.
func TestHashesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := quick()
		o.Concurrent, o.MaxWaiting = 2, 3
		h := NewHasher(o)
		release := make(chan struct{})
		for range 2 { // two that compute
			if err := h.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var done atomic.Int64
		for range 3 {
			go func() {
				<-release
				if _, err := h.HashContext(t.Context(), "correct horse battery"); err != nil {
					t.Error(err)
				}
				done.Add(1)
			}()
		}
		close(release)
		synctest.Wait()
		if h.waiting.Load() != 3 || done.Load() != 0 {
			t.Fatalf("%d wait, %d are done", h.waiting.Load(), done.Load())
		}
		_, _, err := h.VerifyContext(t.Context(), "x", "")
		var problem *ishaa.Problem
		if !errors.Is(err, errBusy) || !errors.As(err, &problem) || problem.Status != http.StatusServiceUnavailable {
			t.Errorf("one more gets %v", err)
		}
		h.leave()
		h.leave()
		synctest.Wait()
		if done.Load() != 3 || h.waiting.Load() != 0 || len(h.slots) != 0 {
			t.Errorf("%d done, %d wait, %d run", done.Load(), h.waiting.Load(), len(h.slots))
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := quick()
		o.Concurrent = 1
		h := NewHasher(o)
		if err := h.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.HashContext(ctx, "correct horse battery"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("HashContext: %v", err)
		}
		if _, _, err := h.VerifyContext(ctx, "x", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("VerifyContext: %v", err)
		}
		if h.waiting.Load() != 0 {
			t.Errorf("%d wait", h.waiting.Load())
		}
	})
}

func TestPolicy(t *testing.T) {
	policy := Policy{Words: []string{"Ishaa"}, Refuse: func(password string) error {
		if password == "breached-somewhere" {
			return errors.New("was in a breach")
		}
		return nil
	}}
	long := strings.Repeat("pass phrase ", 11)
	for _, c := range []struct {
		password, refused string
	}{
		{"gL7_kD9x", ""},
		{"correct horse battery staple", ""},
		{long[:128], ""},
		{strings.Repeat("ü☃𝄞a", 64), ""},
		{"пароль-надёжный", ""},
		{"        x        ", ""},
		{"no digits nor capitals", ""},
		{"82736455190283", ""},
		{"gL7_kD9", "too short"},
		{"", "too short"},
		{"ü☃𝄞üü☃𝄞", "too short"}, // 7 characters in 20 bytes
		{strings.Repeat("ab", 128) + "c", "too long"},
		{"abcdefg\xff", "UTF-8"},
		{"gL7_kD9x\x00", "NUL"},
		{"password", "common"},
		{"PassWord", "common"},
		{"trustno1", "common"},
		{"1234567890", "common"},
		{"qwertyuiop", "common"},
		{"zzzzzzzzzzzz", "one character"},
		{"ÜÜÜüüüÜÜÜ", "one character"},
		{"ishaa-2030", "name of the service"},
		{"ISHAAishaa1", "name of the service"},
		{"a tale of ishaa and rain", ""},
		{"alice.miller", "name of the service or the account"},
		{"alice.miller has a red bike", ""},
		{"breached-somewhere", "in a breach"},
	} {
		err := policy.Check(c.password, "alice.miller", "al")
		var refused *PolicyError
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%q: %v", c.password, err)
		case c.refused != "" && (!errors.As(err, &refused) || refused.HTTPStatus() != 422 || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%q: %v, want %q", c.password, err, c.refused)
		}
	}
	if err := (Policy{MinLength: 14, MaxLength: 128}).Check("gL7_kD9xgL7_k"); err == nil {
		t.Error("MinLength does not count")
	}
}

// At least 3,000 passwords of the list are long enough for the policy (ASVS 6.2.4).
func TestCommonPasswords(t *testing.T) {
	list := commonPasswords()
	if len(list) != 11_611 || !slices.IsSorted(list) {
		t.Errorf("%d passwords, sorted: %v", len(list), slices.IsSorted(list))
	}
	h := NewHasher(quick())
	for _, password := range list {
		if _, err := h.Hash(password); err == nil {
			t.Fatalf("%q is accepted", password)
		}
	}
}

func TestHasherMistakes(t *testing.T) {
	for _, c := range []struct {
		options HasherOptions
		says    string
	}{
		{HasherOptions{Memory: 7}, "7 KiB"},
		{HasherOptions{Memory: 15, Lanes: 2}, "15 KiB"},
		{HasherOptions{Memory: 5 << 20}, "KiB"},
		{HasherOptions{Lanes: 65}, "65 lanes"},
		{HasherOptions{Passes: 1 << 31}, "passes"},
		{HasherOptions{PBKDF2: true, Rounds: -1}, "-1 rounds"},
		{HasherOptions{Concurrent: -1}, "Concurrent"},
		{HasherOptions{Policy: Policy{MinLength: 7}}, "MinLength of 7"},
		{HasherOptions{Policy: Policy{MaxLength: 127}}, "MaxLength of 127"},
		{HasherOptions{Policy: Policy{MinLength: 300}}, "MaxLength"},
	} {
		mustContain(t, panicText(func() { NewHasher(c.options) }), "auth/hasher_test.go:", "auth.NewHasher: ", c.says)
	}
}

func FuzzParseHash(f *testing.F) {
	for _, seed := range []string{"", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "pbkdf2:sha256:10$salt$aa", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$pbkdf2-sha256$i=10$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA", "pbkdf2_sha256$10$salt$c2FsdHNhbHRzYWx0c2FsdA=="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseHash(text)
		if err != nil {
			return
		}
		if err := p.check(); err != nil {
			t.Fatalf("%q is accepted with settings that are not: %v", text, err)
		}
		if p.bcrypt == nil && (len(p.salt) == 0 || len(p.hash) < 16) {
			t.Fatalf("%q has a salt of %d and a hash of %d bytes", text, len(p.salt), len(p.hash))
		}
	})
}

func BenchmarkHash(b *testing.B) {
	for _, o := range []HasherOptions{{}, {PBKDF2: true}} {
		h := NewHasher(o)
		b.Run(fmt.Sprintf("%T", h.current), func(b *testing.B) {
			for b.Loop() {
				h.Hash("correct horse battery")
			}
		})
	}
}

// bcrypt72 is the hash of 72 times the letter a.
const bcrypt72 = "$2a$04$UIlIPjEV0RdoC9Y4HyaKYO2r4VV7arH04mwmYas1n4Ue95/wethnG"
