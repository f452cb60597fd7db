// Package revoked is the set of everything that is revoked, as one verifier
// holds it (docs/verifiers.md, "What is revoked").
//
// It knows nothing of streams, tokens' texts or clocks.
package revoked
