//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// TestKilledQueue kills the program again and again while jobs are enqueued over HTTP: none that was acknowledged is
// lost, and none runs twice.
func TestKilledQueue(t *testing.T) {
	kills := 12
	if testenv.Long() {
		kills = 20
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	listener.Close()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), launch.Patience+time.Duration(kills)*5*time.Second)
	defer cancel()
	db := filepath.Join(dir, "queue.db")
	cmd := exec.CommandContext(ctx, testenv.Python(t), filepath.Join(testenv.Conformance(t), "crash", "crash_queue.py"),
		strconv.Itoa(kills), strconv.Itoa(address.Port), db, "SELECT id FROM ledger", "--",
		os.Args[0], "-addr", address.String(), "-db", db)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0")
	out, err := cmd.Output()
	summary := lastLine(string(out))
	// The battery also fails with fewer than 100 jobs, which a program with the race detector may not get to between kills.
	var rounds, acknowledged int
	if _, scanned := fmt.Sscanf(summary, "rounds %d acked %d", &rounds, &acknowledged); scanned != nil || rounds != kills || acknowledged < 20 {
		t.Errorf("%v: %s", err, summary)
	}
	if err != nil && acknowledged >= 100 || !strings.Contains(summary, " lost 0 duplicates 0 integrity ok") {
		t.Errorf("%v: %s", err, summary)
	}
	t.Log(summary)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
