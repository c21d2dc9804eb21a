package mutation

import "testing"

func FuzzParseDiff(f *testing.F) {
	f.Add("+++ b/x.go\n@@ -1,0 +2,3 @@\n+a\n+b\n+c\n")
	f.Add("+++ b/x.go\n@@ -1 +1 @@ func f()\n")
	f.Add("@@ -1 +1 @@\n")
	f.Add("+++ b/x.go\n@@ -1 +99999999999999999999,1 @@\n")
	f.Fuzz(func(t *testing.T, text string) {
		for path, lines := range parseDiff("/root", text) {
			if path == "" || len(lines) > most*8 {
				t.Fatalf("%q has %d lines", path, len(lines))
			}
		}
	})
}

func TestParseDiff(t *testing.T) {
	got := parseDiff("/r", "diff --git a/x.go b/x.go\n--- a/x.go\n+++ b/x.go\n@@ -3 +3,2 @@ func f()\n-a\n+b\n+c\n@@ -9,2 +10,0 @@\n-d\n-e\n")
	if len(got) != 1 || len(got["/r/x.go"]) != 2 || !got.has("/r/x.go", 3) || !got.has("/r/x.go", 4) {
		t.Errorf("%v", got)
	}
}
