package rmf

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cespare/xxhash/v2"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The hash is XXH64, of any length and with any seed.
func TestXXH64(t *testing.T) {
	for text, want := range map[string]uint64{"": 0xef46db3751d8e999, "a": 0xd24ec4f1a98c6e5b, "abc": 0x44bc2cf5ad770999} {
		if got := xxh64(text, 0); got != want {
			t.Errorf("%q: %x, want %x", text, got, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for size := range 200 {
		text := make([]byte, size)
		for i := range text {
			text[i] = byte(r.Uint32())
		}
		seed := r.Uint64()
		d := xxhash.NewWithSeed(seed)
		d.Write(text)
		if got, want := xxh64(string(text), seed), d.Sum64(); got != want {
			t.Fatalf("%d octets: %x, want %x", size, got, want)
		}
	}
}

// vector is a line of testdata/buckets.json, which other languages test themselves by.
type vector struct {
	Salt    string `json:"salt"`
	Lot     string `json:"lot"` // hexadecimal
	Subject string `json:"subject"`
	Bucket  int    `json:"bucket"`
}

func TestVectors(t *testing.T) {
	var list []vector
	for _, salt := range []string{"GET /recommend#0", "GET /recommend#1", "POST /orders/<int:id>#0", "#0"} {
		for _, subject := range []string{"", "a:", "u:1", "u:42", "u:ada@example.com", "u:Ünïcödé", "a:AAAAAAAAAAAAAAAAAAAAAA", "u:0123456789012345678901234567890123456789"} {
			lot := Lot(salt)
			list = append(list, vector{salt, fmt.Sprintf("%016x", lot), subject, Bucket(lot, subject)})
		}
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "buckets.json")
	if *update {
		if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != string(text)+"\n" {
		t.Errorf("the vectors have changed (%v): everybody would change their reality; -update writes them anew", err)
	}
}

// Over a million subjects a share is what it says, within 0.1 points; two experiments know nothing of each other; and a
// share that grows moves nobody out.
func TestSplit(t *testing.T) {
	const subjects = 1_000_000
	_, one := lotOf("GET /recommend", 0)
	_, two := lotOf("GET /search", 0)
	_, again := lotOf("GET /recommend", 1)
	shares := []int{100, 500, 2000, 5000}
	var inside [3][4]int
	var x, y, z, xy, xz float64 // in 20 % of each
	for i := range subjects {
		subject := fmt.Sprintf("u:%d", i)
		buckets := [3]int{Bucket(one, subject), Bucket(two, subject), Bucket(again, subject)}
		was := true
		for k := len(shares) - 1; k >= 0; k-- {
			for e := range buckets {
				if buckets[e] < shares[k] {
					inside[e][k]++
				}
			}
			if is := buckets[0] < shares[k]; is && !was {
				t.Fatalf("%s is in %d of 10,000 and not in more", subject, shares[k])
			} else {
				was = is
			}
		}
		a, b, c := indicator(buckets[0] < 2000), indicator(buckets[1] < 2000), indicator(buckets[2] < 2000)
		x, y, z, xy, xz = x+a, y+b, z+c, xy+a*b, xz+a*c
	}
	for e := range inside {
		for k, share := range shares {
			if got, want := float64(inside[e][k])/subjects, float64(share)/Buckets; math.Abs(got-want) > .001 {
				t.Errorf("experiment %d: %.4f, want %.4f", e, got, want)
			}
		}
	}
	correlation := func(x, y, xy float64) float64 {
		return (xy/subjects - x*y/subjects/subjects) / math.Sqrt(x/subjects*(1-x/subjects)*y/subjects*(1-y/subjects))
	}
	r1, r2 := correlation(x, y, xy), correlation(x, z, xz)
	t.Logf("shares %v, r between experiments %.5f, between two drawings %.5f", inside[0], r1, r2)
	if math.Abs(r1) >= .005 || math.Abs(r2) >= .005 {
		t.Errorf("correlations %.5f and %.5f", r1, r2)
	}
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// The filter that has everybody count once forgets nobody, and takes few for known who are not.
func TestSeen(t *testing.T) {
	var s seen
	wrong := 0
	for i := range 200_000 {
		if !s.add(fmt.Sprint("u:", i), 3) {
			wrong++
		}
	}
	for i := range 200_000 {
		if s.add(fmt.Sprint("u:", i), 3) {
			t.Fatalf("subject %d is forgotten", i)
		}
	}
	if wrong > 200 {
		t.Errorf("%d of 200,000 were taken for known", wrong)
	}
}
