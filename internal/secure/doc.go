// Package secure holds the security decisions of the framework as pure functions, so that the defaults of the root
// package and the middleware package cannot disagree:
//
//	headers, err := secure.NewHeaders(secure.HeaderOptions{})           // the policy of the site, prepared once
//	guard, err := secure.NewCrossOrigin(secure.CrossOriginOptions{})    // who may change something
//	…
//	if err := guard.Check(r, onTLS); err != nil { … }                   // 403
//	headers.Apply(w.Header(), onTLS)                                    // no allocation, nothing overwritten
//	if secure.LocalRedirect(next) { … }                                 // stays on this site in every browser
//	w.Header().Set("Content-Disposition", secure.ContentDisposition("attachment", name))
//	logger.Info("not found", "path", secure.LogText(path))
//
// Each function takes text from a stranger and says what it may be used for. None of them keeps state, except for the
// random bytes that wait to become identifiers.
package secure
