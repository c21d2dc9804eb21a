//go:build !race

package sare

const racing = false
