//go:build race

package textlog

const raceEnabled = true
