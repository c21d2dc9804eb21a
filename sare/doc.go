// Package sare is the self-evolving adaptive routing engine: it watches an application's traffic, tries what might make
// it faster, keeps what is shown to help, and takes everything else back.
//
//	package main
//
//	import (
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/sare"
//	)
//
//	func main() {
//		app := ishaa.New("shop")
//		engine := sare.Enable(app, sare.Options{})
//		app.Get("/products", products)                // remembered once that is shown to be right and to pay
//		app.Get("/lottery", draw, sare.Never())       // never
//		app.Get("/sare/report", func(*ishaa.Request) (any, error) { return engine.Report(), nil }, sare.Never())
//		app.Run()
//	}
//
// It has five layers. Observation counts each request once, per route and method: latency, rate, errors, heat. Decision
// says what to try and, by sequential tests on randomised traffic, what to keep. Prediction forecasts rate and latency
// and drives something only where it has shown skill. Execution remembers answers, orders middleware, sheds load and
// harvests profiles. Reporting says all of it in words and numbers: Report, PrintReport, Stats, Explain.
//
// # What is remembered, and what never is
//
// A route is remembered when it passes four gates. Its answers are legal to share (RFC 9111, as a shared cache, strictly).
// They are kept under exactly what the handler read of the request, which the engine watches it read, so an answer that
// depends on who asks is never kept. Hundreds of answers that memory would have given were compared with what the handler
// gave. And a trial on live traffic, half with and half without, showed that it pays. A write that this process made through
// package effect, as package orm does, is visible to the next read; one difference found by the samples that are taken for
// as long as a route is remembered turns it off.
//
// # Cost
//
// The request path reads one immutable policy and adds to striped counters. One goroutine owns everything that changes; if
// it panics the engine is off and the application serves on. Disable returns every route to what was registered, at once.
package sare
