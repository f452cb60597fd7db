// Package ostiary checks Ostiary's access tokens inside a Go service: without a
// call per request, and yet a revoked token is refused a fraction of a second
// after its revocation.
//
//	verifier, err := ostiary.NewVerifier(ctx, ostiary.Options{
//		Target: "127.0.0.1:50051",       // where Ostiary's gRPC listens
//		Issuer: "http://127.0.0.1:8080", // ostiaryd --issuer
//	})
//	...
//	claims, err := verifier.Verify(ctx, token, ostiary.WithScopes("notes:read"))
//
// A background stream tells the verifier the issuer's keys and every
// revocation, and how fresh that knowledge is. What happens when it is not
// fresh enough is the [Policy]. The rules, shared with the C++, Python and Node
// libraries, are in docs/verifiers.md of Ostiary's repository.
//
// Guards for servers are in ostiarygrpc (interceptors) and ostiaryhttp
// (middleware); ostiarytest makes tokens for an application's own tests, without
// a server. [TokenClient] is the other side: it signs in and keeps a session
// alive.
package ostiary
