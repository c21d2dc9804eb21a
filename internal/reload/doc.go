// Package reload runs a program while its files change, for "ishaa run --reload".
//
//	p, err := program.Find("")
//	err = reload.Run(ctx, reload.Options{Program: p, Addr: "127.0.0.1:8000", Out: os.Stdout, Err: os.Stderr})
//
// The supervisor opens the listening socket and keeps it. A build of the program gets it handed down (LISTEN_FDS, as by
// systemd) and says when it answers (NOTIFY_SOCKET); only then is the build before it asked to end. So somebody accepts
// at every moment, or else the system keeps connections waiting: none is refused. A program that does not build, does not
// start, or ends by itself is answered for by the supervisor, with what the compiler or the program said, until the next
// change.
//
// Each build is a process group of its own, which is ended with it. On Linux it ends too if the supervisor is killed.
package reload
