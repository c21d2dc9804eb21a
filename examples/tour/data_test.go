package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// The data in the folder is what its script makes of the database.
func TestDataIsAsExported(t *testing.T) {
	folder := t.TempDir()
	database := filepath.Join(testenv.Conformance(t), "data", "chinook.sqlite")
	cmd := exec.Command(testenv.Python(t), "data/export.py", database, folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	exported, err := os.ReadFile(filepath.Join(folder, "chinook.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(inflated(t, exported), inflated(t, []byte(chinook))) {
		t.Error("data/chinook.ndjson.gz differs from what data/export.py makes")
	}
}

func inflated(t *testing.T, packed []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
