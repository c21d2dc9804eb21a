//go:build !race

package rmf

const racing = false
