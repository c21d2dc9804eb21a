// Package cpu measures what a request costs a server in CPU time, over a loopback socket.
//
// Requests per second say as much about the client and the network as about the server; CPU time of the server process
// says what the server does. Each candidate is a process of its own, pinned to one core; the load comes from another
// core, over keep-alive connections. Rounds are interleaved: in each, every candidate serves the same number of
// requests, in an order drawn anew, and its CPU time before and after is asked of the kernel (getrusage, user and
// system). So a disturbance of the machine meets all candidates alike, and a candidate's ratio to the baseline is taken
// within each round; Interval says how sure it is.
//
//	peer, _ := peers.Find("gin")
//	server, err := cpu.Start(peer.Name, peers.Plain, 0)  // a process on core 0
//	load, err := cpu.Dial(server.Addr, cpu.Request(peers.Plain), 64, 1)
//	before, err := server.Usage()
//	err = load.Run(10_000)
//	after, err := server.Usage()                         // after.CPU() - before.CPU() is the cost of 10,000 requests
//
// It runs on Linux only. Addresses other than loopback are refused.
package cpu
