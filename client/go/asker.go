package ostiary

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"ostiary.dev/go/internal/jose"
	pb "ostiary.dev/go/ostiary/v1"
)

const maxAsks = 16

var (
	errTooManyAsks = errors.New("too many questions to the server are under way")
	errBreakerOpen = errors.New("the server is not asked for a while: it did not answer")
)

// asker calls TokenService.Verify, but neither too often nor for too long. Safe
// for use by several goroutines.
type asker struct {
	dialer  *dialer
	timeout time.Duration
	places  chan struct{}
	breaker *breaker
	asks    tally

	mutex  sync.Mutex
	conn   *grpc.ClientConn // nil before the first ask and after a failure
	closed bool
}

func newAsker(d *dialer, timeout time.Duration, mono func() time.Duration) *asker {
	return &asker{
		dialer: d, timeout: timeout, places: make(chan struct{}, maxAsks),
		breaker: &breaker{now: mono},
	}
}

// ask gives the server's verdict: no reason if the token is good. An error
// means that there is no verdict.
func (a *asker) ask(ctx context.Context, token string, audience jose.Audience, minRevision string) (Reason, error) {
	select {
	case a.places <- struct{}{}:
		defer func() { <-a.places }()
	default:
		a.asks.add(outcomeShed)
		return "", errTooManyAsks
	}
	permit := a.breaker.begin()
	if permit == refused {
		a.asks.add(outcomeBroken)
		return "", errBreakerOpen
	}
	request := &pb.VerifyRequest{
		Token: token, Audience: audience.Name, AnyAudience: audience.Any, MinRevision: minRevision,
	}
	begun := a.breaker.now()
	response, conn, err := a.call(ctx, request, permit)
	waited := a.breaker.now() - begun
	if a.breaker.end(permit, verdictOf(ctx, err, waited >= a.timeout/2)) {
		// The connection may be half-open: the next ask gets a new one.
		a.drop(conn)
	}
	if err != nil {
		a.asks.add(outcomeError)
		return "", err
	}
	reason := Reason(response.GetReason())
	if response.GetValid() {
		reason = ""
	} else if reason == "" {
		reason = CheckUnavailable // neither yes nor no
	}
	a.asks.add(outcomeOf(reason))
	return reason, nil
}

func (a *asker) call(ctx context.Context, request *pb.VerifyRequest, p permit) (*pb.VerifyResponse, *grpc.ClientConn, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	conn, err := a.connection()
	if err != nil {
		return nil, nil, err
	}
	ctx, err = a.dialer.authorized(ctx)
	if err != nil {
		return nil, conn, err
	}
	if p == probe {
		conn.ResetConnectBackoff()
	}
	response, err := pb.NewTokenServiceClient(conn).Verify(ctx, request, grpc.WaitForReady(p == probe))
	return response, conn, err
}

// verdictOf: an answer to the question, even a refusing one, is an answer. A
// caller who was in too much of a hurry says nothing about the server.
func verdictOf(caller context.Context, err error, waitedLong bool) verdict {
	switch {
	case err == nil, isAboutRevision(err):
		return answered
	case errors.Is(caller.Err(), context.Canceled):
		return withdrawn
	case caller.Err() != nil && !waitedLong:
		return withdrawn
	}
	return failed
}

// isAboutRevision is true if the server is well and has only not applied the
// revision it was asked about. A caller with a strange revision must not open
// the breaker for all others.
func isAboutRevision(err error) bool {
	reason := serverReason(err)
	return reason == "REVISION_NOT_REACHED" || reason == "REVISION_LOST"
}

// serverReason is the reason of google.rpc.ErrorInfo, or "".
func serverReason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "ostiary" {
			return info.GetReason()
		}
	}
	return ""
}

func (a *asker) connection() (*grpc.ClientConn, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.closed {
		return nil, ErrClosed
	}
	if a.conn == nil {
		conn, err := a.dialer.dial()
		if err != nil {
			return nil, err
		}
		a.conn = conn
	}
	return a.conn, nil
}

func (a *asker) drop(conn *grpc.ClientConn) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if conn != nil && a.conn == conn {
		a.conn = nil
		conn.Close()
	}
}

func (a *asker) close() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.closed = true
	if a.conn != nil {
		a.conn.Close()
		a.conn = nil
	}
}
