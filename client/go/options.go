package ostiary

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"ostiary.dev/go/internal/jose"
)

// Policy says what to do with a token that is good as far as this verifier
// knows, when that knowledge is older than the staleness bound.
type Policy int

// The policies.
const (
	// AskServer calls TokenService.Verify; its verdict counts. Without an answer
	// in time: ErrCheckUnavailable.
	AskServer Policy = iota
	// Refuse gives ErrCheckUnavailable.
	Refuse
	// Accept lets the token pass, but not before one complete snapshot of the
	// revocations: until then ErrCheckUnavailable.
	Accept
)

// Algorithm is a signature algorithm by its JWS name.
type Algorithm string

// The algorithms Ostiary signs with.
const (
	ES256 Algorithm = jose.ES256
	RS256 Algorithm = jose.RS256
	EdDSA Algorithm = jose.EdDSA
)

// Values of an Options field that mean "none at all", where 0 means the default.
const (
	NoLeeway time.Duration = -1
	NoCache  int           = -1
)

// The defaults of Options.
const (
	DefaultAudience       = "api"
	DefaultLeeway         = time.Minute
	DefaultStalenessBound = 10 * time.Second
	DefaultAskTimeout     = time.Second
	DefaultCacheSize      = 10_000
)

const (
	maxLeeway      = 5 * time.Minute
	maxSilence     = 5 * time.Second
	minSilence     = 2 * time.Second
	maxTokenLife   = 24 * time.Hour // revocations are forgotten after that
	maxFrameBytes  = 16 << 20
	maxSkewedBound = 24 * time.Hour
)

// Options of a Verifier. Target and Issuer are needed; the zero value of
// everything else means its default.
type Options struct {
	// Where Ostiary's gRPC listens: "host:port", or "unix:PATH".
	Target string
	// Compared with `iss` byte by byte; ostiaryd's --issuer.
	Issuer string
	// Must be among the token's audiences. Default: "api".
	Audience string
	// Accepts tokens for anyone. Not together with Audience.
	AnyAudience bool
	// How far the clocks may be apart, at most 5 minutes. Default: 1 minute;
	// NoLeeway: none.
	Leeway time.Duration
	// What this service trusts; the key's own algorithm binds as well. Default:
	// ES256, RS256, EdDSA.
	Algorithms []Algorithm
	// How old the knowledge may be before Policy decides. Default: 10 seconds.
	StalenessBound time.Duration
	// What to do beyond StalenessBound. Default: AskServer.
	Policy Policy
	// How long one question to the server may take. Default: 1 second.
	AskTimeout time.Duration
	// How many tokens are remembered whose signature has been checked. Each takes
	// about 1.5 KB. Default: 10,000; NoCache: none.
	CacheSize int
	// Keeps keys, revocations and cursor over a restart. A file in a directory
	// that only this service can write: whoever can write it chooses the keys.
	// Default: none.
	StateFile string
	// TLS: for example credentials.NewTLS(...), with a client certificate if
	// ostiaryd wants one. Default: plaintext.
	TransportCredentials credentials.TransportCredentials
	// Gives the bearer token of this service for each call to Ostiary. Called by
	// several goroutines. Not with plaintext beyond loopback. Default: none.
	BearerToken func(context.Context) (string, error)
	// More options for the connections.
	DialOptions []grpc.DialOption
	// After this long without a frame the stream is opened anew. Default: 5
	// seconds, or half of StalenessBound if that is less, at least 2 seconds.
	SilenceTimeout time.Duration
	// For the few things an operator should know. Default: slog.Default().
	Logger *slog.Logger
}

// withDefaults checks what is set and sets what is not.
func (o Options) withDefaults() (Options, error) {
	if o.AnyAudience && o.Audience != "" {
		return o, errors.New("ostiary: Audience and AnyAudience exclude each other")
	}
	if o.Audience == "" && !o.AnyAudience {
		o.Audience = DefaultAudience
	}
	orDefault(&o.Leeway, DefaultLeeway)
	if o.Leeway == NoLeeway {
		o.Leeway = 0
	}
	orDefault(&o.StalenessBound, DefaultStalenessBound)
	orDefault(&o.AskTimeout, DefaultAskTimeout)
	orDefault(&o.SilenceTimeout, min(maxSilence, max(o.StalenessBound/2, minSilence)))
	if o.CacheSize == 0 {
		o.CacheSize = DefaultCacheSize
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = []Algorithm{ES256, RS256, EdDSA}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, o.check()
}

func (o *Options) check() error {
	switch {
	case o.Target == "":
		return errors.New("ostiary: Target must not be empty")
	case o.Issuer == "":
		return errors.New("ostiary: Issuer must not be empty")
	case o.Leeway < 0 || o.Leeway > maxLeeway:
		return fmt.Errorf("ostiary: Leeway must be 0 to %v", maxLeeway)
	case o.StalenessBound < 0 || o.StalenessBound > maxSkewedBound:
		return fmt.Errorf("ostiary: StalenessBound must be 0 to %v", maxSkewedBound)
	case o.AskTimeout < 0 || o.SilenceTimeout < 0:
		return errors.New("ostiary: AskTimeout and SilenceTimeout must not be negative")
	case o.Policy < AskServer || o.Policy > Accept:
		return errors.New("ostiary: unknown Policy")
	case o.BearerToken != nil && o.TransportCredentials == nil && !isLocal(o.Target):
		return errors.New("ostiary: BearerToken needs TransportCredentials: it must not travel in clear")
	}
	for _, algorithm := range o.Algorithms {
		if jose.CanonicalAlgorithm(string(algorithm)) != string(algorithm) {
			return fmt.Errorf("ostiary: unknown algorithm %q", algorithm)
		}
	}
	return nil
}

func (o *Options) rules() *jose.Rules {
	rules := &jose.Rules{Issuer: o.Issuer, MaxLifetime: maxTokenLife}
	for _, algorithm := range slices.Compact(slices.Sorted(slices.Values(o.Algorithms))) {
		rules.Algorithms = append(rules.Algorithms, string(algorithm))
	}
	return rules
}

func orDefault(field *time.Duration, value time.Duration) {
	if *field == 0 {
		*field = value
	}
}

// isLocal is true for targets that do not leave this machine.
func isLocal(target string) bool {
	if strings.HasPrefix(target, "unix:") || strings.HasPrefix(target, "unix-abstract:") {
		return true
	}
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// A CheckOption says what one token must be good for.
type CheckOption func(*check)

type check struct {
	scopes, roles []string
	policy        Policy
	audience      jose.Audience
	minRevision   string
}

// WithScopes asks for all of these scopes: SCOPE_MISSING.
func WithScopes(scopes ...string) CheckOption {
	return func(c *check) { c.scopes = append(c.scopes, scopes...) }
}

// WithRoles asks for all of these roles: ROLE_MISSING.
func WithRoles(roles ...string) CheckOption {
	return func(c *check) { c.roles = append(c.roles, roles...) }
}

// WithPolicy takes the place of Options.Policy.
func WithPolicy(policy Policy) CheckOption {
	return func(c *check) { c.policy = policy }
}

// WithAudience takes the place of Options.Audience. An empty name is met by no
// token.
func WithAudience(name string) CheckOption {
	return func(c *check) { c.audience = jose.Audience{Name: name} }
}

// WithAnyAudience accepts tokens for anyone.
func WithAnyAudience() CheckOption {
	return func(c *check) { c.audience = jose.Audience{Any: true} }
}

// WithMinRevision asks for a verdict that takes a revocation into account, by
// the revision its caller was given. Not reached yet is treated like staleness.
// An empty text asks for nothing.
func WithMinRevision(revision string) CheckOption {
	return func(c *check) { c.minRevision = revision }
}
