//go:build !race

package textlog

const raceEnabled = false
