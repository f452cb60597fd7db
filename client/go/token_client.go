package ostiary

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	pb "ostiary.dev/go/ostiary/v1"
)

// ErrSignedOut says that there is no session: never signed in, signed out, or
// the server has refused to refresh. The user must sign in again.
var ErrSignedOut = errors.New("ostiary: signed out: sign in again")

// With a fixed schedule, whoever has stolen a refresh token could stay in step
// with its owner.
const (
	earliestRefresh = 0.60 // of the access token's lifetime
	latestRefresh   = 0.85
	callTimeout     = 10 * time.Second
)

// Tokens is what a session holds at one moment. The two tokens belong together:
// keep both or none.
type Tokens struct {
	AccessToken  string
	ExpireTime   time.Time // of the access token, by this machine's clock
	RefreshToken string    // to be kept like a password
	Scope        string
	SessionID    string
}

// TokenClientOptions configure a TokenClient. Target is needed.
type TokenClientOptions struct {
	// Where Ostiary's gRPC listens: "host:port", or "unix:PATH".
	Target string
	// Asked for at sign-in; empty: the server's default audience.
	Audience string
	// Asked for at sign-in, separated by spaces; empty: none.
	Scope string
	// The application; empty: the built-in public client.
	ClientID string
	// Default: plaintext, which is for loopback.
	TransportCredentials credentials.TransportCredentials
	// More options for the connection.
	DialOptions []grpc.DialOption
	// Called with each new pair before it is used, one call at a time, and with
	// the zero Tokens when the session has ended: to keep the session over a
	// restart. It must not call the client.
	OnTokens func(Tokens)
}

// TokenClient signs in and keeps the session alive: it refreshes in the
// background at a random moment between 60 % and 85 % of the access token's
// lifetime, once whoever asks. Safe for use by several goroutines.
type TokenClient struct {
	options TokenClientOptions
	conn    *grpc.ClientConn
	auth    pb.AuthServiceClient
	now     func() time.Time
	random  func() float64 // 0 to 1

	lifetime context.Context // of the client
	cancel   context.CancelFunc
	pauses   func(context.Context, time.Duration)

	mutex     sync.Mutex
	tokens    Tokens      // zero: signed out
	session   uint64      // rises with every sign-in and its end
	timer     *time.Timer // for the next refresh
	refresh   *refreshing // nil unless one is under way
	requestID string      // of an attempt whose answer may have been lost
}

// refreshing is one attempt that any number of callers wait for.
type refreshing struct {
	done chan struct{}
	err  error // set before done is closed
}

// NewTokenClient does not connect yet.
func NewTokenClient(options TokenClientOptions) (*TokenClient, error) {
	d := &dialer{target: options.Target, credentials: options.TransportCredentials, more: options.DialOptions}
	if options.Target == "" {
		return nil, errors.New("ostiary: Target must not be empty")
	}
	conn, err := d.dial()
	if err != nil {
		return nil, err
	}
	c := &TokenClient{
		options: options, conn: conn, auth: pb.NewAuthServiceClient(conn),
		now: time.Now, random: mathrand.Float64, pauses: sleepFor,
	}
	c.lifetime, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// SignIn opens a session, in the place of one there may be. The error is the
// server's gRPC status: UNAUTHENTICATED for a wrong identifier or password.
func (c *TokenClient) SignIn(ctx context.Context, identifier, password string) error {
	asked := c.now()
	response, err := c.auth.SignInWithPassword(ctx, &pb.SignInWithPasswordRequest{
		Identifier: identifier, Password: password, Audience: c.options.Audience,
		Scope: c.options.Scope, ClientId: c.options.ClientID,
	})
	if err != nil {
		return err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.beginSession()
	c.take(response.GetTokens(), asked)
	return nil
}

// Resume goes on with a session whose tokens were kept; see OnTokens. It is
// refreshed at once if the access token has run out.
func (c *TokenClient) Resume(tokens Tokens) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.beginSession()
	c.tokens = tokens
	c.schedule(tokens.ExpireTime.Sub(c.now()))
}

// Tokens gives the pair as it is now; the zero value if signed out.
func (c *TokenClient) Tokens() Tokens {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.tokens
}

// AccessToken gives an access token that has not expired. It waits for a refresh
// only if there is none. ErrSignedOut, ctx's error, or the last error of the
// refresh.
func (c *TokenClient) AccessToken(ctx context.Context) (string, error) {
	for {
		tokens := c.Tokens()
		switch {
		case tokens.RefreshToken == "":
			return "", ErrSignedOut
		case c.now().Before(tokens.ExpireTime):
			return tokens.AccessToken, nil
		}
		if err := c.Refresh(ctx); err != nil {
			return "", err
		}
	}
}

// Refresh gets a new pair now, for example because a role was granted. Callers
// at the same time share one refresh; it goes on if ctx ends.
func (c *TokenClient) Refresh(ctx context.Context) error {
	attempt, err := c.join()
	if err != nil {
		return err
	}
	select {
	case <-attempt.done:
		return attempt.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// SignOut ends the session, here in any case and at the server if it answers.
func (c *TokenClient) SignOut(ctx context.Context) error {
	tokens := c.Tokens()
	c.mutex.Lock()
	c.endSession()
	c.mutex.Unlock()
	if tokens.RefreshToken == "" {
		return nil
	}
	_, err := c.auth.SignOut(ctx, &pb.SignOutRequest{RefreshToken: tokens.RefreshToken})
	return err
}

// Close stops refreshing. The session goes on at the server: see SignOut.
func (c *TokenClient) Close() error {
	c.cancel()
	c.mutex.Lock()
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mutex.Unlock()
	return c.conn.Close()
}

// GetRequestMetadata and RequireTransportSecurity let a TokenClient be given to
// grpc.WithPerRPCCredentials: every call then carries the access token.
func (c *TokenClient) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := c.AccessToken(ctx)
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity is false only if Target does not leave this machine.
func (c *TokenClient) RequireTransportSecurity() bool { return !isLocal(c.options.Target) }

// join gives the refresh under way, or a new one.
func (c *TokenClient) join() (*refreshing, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.tokens.RefreshToken == "" {
		return nil, ErrSignedOut
	}
	if c.refresh == nil {
		c.refresh = &refreshing{done: make(chan struct{})}
		// Kept until there is an answer: a lost one is asked for again with the
		// same token and the same id, which the server knows for a retry.
		if c.requestID == "" {
			c.requestID = rand.Text()
		}
		request := &pb.RefreshRequest{RefreshToken: c.tokens.RefreshToken, RequestId: c.requestID}
		go c.run(c.refresh, request, c.session)
	}
	return c.refresh, nil
}

const refreshTries = 4

func (c *TokenClient) run(attempt *refreshing, request *pb.RefreshRequest, session uint64) {
	var response *pb.RefreshResponse
	var err error
	var asked time.Time
	for try := range refreshTries {
		ctx, cancel := context.WithTimeout(c.lifetime, callTimeout)
		asked = c.now()
		response, err = c.auth.Refresh(ctx, request)
		cancel()
		if err == nil || serverReason(err) == "REFRESH_REJECTED" || c.lifetime.Err() != nil {
			break
		}
		if try+1 < refreshTries {
			c.pauses(c.lifetime, fullJitter(try+1))
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	defer close(attempt.done)
	if c.refresh == attempt {
		c.refresh = nil
	}
	switch {
	case session != c.session:
		attempt.err = ErrSignedOut // in the meantime
	case err == nil:
		c.requestID = ""
		c.take(response.GetTokens(), asked)
	case serverReason(err) == "REFRESH_REJECTED":
		c.endSession()
		attempt.err = fmt.Errorf("%w: the server refused to refresh", ErrSignedOut)
	default:
		attempt.err = err
		c.retryLater()
	}
}

// beginSession leaves alone what may still be under way for the last one.
func (c *TokenClient) beginSession() {
	c.session++
	c.requestID, c.refresh = "", nil
}

// take replaces both tokens together.
func (c *TokenClient) take(set *pb.TokenSet, asked time.Time) {
	lifetime := set.GetExpiresIn().AsDuration()
	c.tokens = Tokens{
		AccessToken: set.GetAccessToken(), ExpireTime: asked.Add(lifetime),
		RefreshToken: set.GetRefreshToken(), Scope: set.GetScope(), SessionID: set.GetSessionId(),
	}
	if c.options.OnTokens != nil {
		c.options.OnTokens(c.tokens)
	}
	c.schedule(lifetime)
}

// schedule sets the timer for a token that lives so long from now on.
func (c *TokenClient) schedule(lifetime time.Duration) {
	share := earliestRefresh + c.random()*(latestRefresh-earliestRefresh)
	c.refreshAfter(time.Duration(share * float64(max(lifetime, 0))))
}

func (c *TokenClient) retryLater() { c.refreshAfter(time.Second + fullJitter(7)) }

func (c *TokenClient) refreshAfter(d time.Duration) {
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.lifetime.Err() == nil {
		c.timer = time.AfterFunc(d, func() { _, _ = c.join() })
	}
}

// endSession forgets the tokens.
func (c *TokenClient) endSession() {
	if c.timer != nil {
		c.timer.Stop()
	}
	c.beginSession()
	if c.tokens = (Tokens{}); c.options.OnTokens != nil {
		c.options.OnTokens(c.tokens)
	}
}
