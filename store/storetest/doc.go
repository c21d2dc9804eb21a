// Package storetest is what every engine of package store has to pass. Run it on
// an engine of your own:
//
//	func TestMyEngine(t *testing.T) {
//		storetest.Run(t, storetest.Engine{
//			Open: func(t *testing.T) store.Store { return open(t) },
//		})
//	}
//
// Given Faulty, a network that the test breaks, it also checks what becomes of
// operations and subscriptions when connections are cut, stalled and restored.
//
// Every case opens a store of its own and closes it. The stores may share one
// server: each case uses keys and topics that no other uses.
package storetest
