// Package jose checks the form, signature and claims of access tokens as
// client/jwt does for the server, so that the two cannot disagree.
//
// It is pure: no I/O, no clock, no global state, and it knows nothing of
// revocations. Everything in it is immutable once made and may be shared by
// goroutines.
package jose
