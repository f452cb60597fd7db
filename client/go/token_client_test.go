package ostiary_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"ostiary.dev/go"
	pb "ostiary.dev/go/ostiary/v1"
)

func (s *fakeServer) SignInWithPassword(context.Context, *pb.SignInWithPasswordRequest) (*pb.SignInWithPasswordResponse, error) {
	return &pb.SignInWithPasswordResponse{Tokens: tokenSet("first", time.Hour)}, nil
}

func tokenSet(name string, lifetime time.Duration) *pb.TokenSet {
	return &pb.TokenSet{AccessToken: "at_" + name, RefreshToken: "ort_" + name, ExpiresIn: durationpb.New(lifetime)}
}

func rejected(reason string) error {
	s, _ := status.New(codes.Unauthenticated, "no").WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "ostiary"})
	return s.Err()
}

func newTokenClient(t *testing.T, server *fakeServer, options ostiary.TokenClientOptions) *ostiary.TokenClient {
	t.Helper()
	options.Target = server.address
	client, err := ostiary.NewTokenClient(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	client.SetPauses(func(context.Context, time.Duration) {})
	return client
}

func signedIn(t *testing.T, server *fakeServer, options ostiary.TokenClientOptions) *ostiary.TokenClient {
	t.Helper()
	client := newTokenClient(t, server, options)
	if err := client.SignIn(testContext(t), "alice", "password"); err != nil {
		t.Fatal(err)
	}
	return client
}

func TestALostAnswerIsAskedForAgainWithTheSameTokenAndID(t *testing.T) {
	server := startFakeServer(t)
	client := signedIn(t, server, ostiary.TokenClientOptions{})
	var mutex sync.Mutex
	var seen []*pb.RefreshRequest
	lose := 6 // more than one Refresh tries
	server.answerRefresh(func(_ context.Context, r *pb.RefreshRequest) (*pb.RefreshResponse, error) {
		mutex.Lock()
		defer mutex.Unlock()
		seen = append(seen, r)
		if len(seen) <= lose {
			return nil, status.Error(codes.Unavailable, "lost")
		}
		return &pb.RefreshResponse{Tokens: tokenSet("second", time.Hour)}, nil
	})
	if err := client.Refresh(testContext(t)); status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
	if client.Tokens().AccessToken != "at_first" {
		t.Error("the tokens are gone although nothing was refused")
	}
	if err := client.Refresh(testContext(t)); err != nil {
		t.Fatal(err)
	}
	mutex.Lock()
	for _, r := range seen {
		if r.GetRefreshToken() != "ort_first" || r.GetRequestId() != seen[0].GetRequestId() || len(r.GetRequestId()) < 16 {
			t.Errorf("got %v", r)
		}
	}
	last := seen[0].GetRequestId()
	mutex.Unlock()
	if tokens := client.Tokens(); tokens.AccessToken != "at_second" || tokens.RefreshToken != "ort_second" {
		t.Errorf("got %+v", tokens)
	}
	if err := client.Refresh(testContext(t)); err != nil {
		t.Fatal(err)
	}
	mutex.Lock()
	defer mutex.Unlock()
	if seen[len(seen)-1].GetRequestId() == last {
		t.Error("the next refresh has the same id")
	}
}

func TestWhoeverAsksThereIsOneRefreshAtATime(t *testing.T) {
	server := startFakeServer(t)
	client := signedIn(t, server, ostiary.TokenClientOptions{})
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	server.answerRefresh(func(context.Context, *pb.RefreshRequest) (*pb.RefreshResponse, error) {
		asked <- struct{}{}
		<-answer
		return &pb.RefreshResponse{Tokens: tokenSet("second", time.Hour)}, nil
	})
	results := make(chan error)
	for range 20 {
		go func() { results <- client.Refresh(testContext(t)) }()
	}
	<-asked
	time.Sleep(20 * time.Millisecond) // for those who would have asked, too
	close(answer)
	for range 20 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	// One that came after the answer may have begun another.
	if len(asked) > 1 {
		t.Errorf("%d more refreshes", len(asked))
	}
}

func TestARefusedRefreshEndsTheSession(t *testing.T) {
	server := startFakeServer(t)
	var told []ostiary.Tokens
	client := signedIn(t, server, ostiary.TokenClientOptions{OnTokens: func(t ostiary.Tokens) { told = append(told, t) }})
	server.answerRefresh(func(context.Context, *pb.RefreshRequest) (*pb.RefreshResponse, error) {
		return nil, rejected("REFRESH_REJECTED")
	})
	if err := client.Refresh(testContext(t)); !errors.Is(err, ostiary.ErrSignedOut) {
		t.Errorf("got %v", err)
	}
	if _, err := client.AccessToken(testContext(t)); !errors.Is(err, ostiary.ErrSignedOut) {
		t.Errorf("got %v", err)
	}
	if len(told) != 2 || told[0].RefreshToken != "ort_first" || told[1] != (ostiary.Tokens{}) {
		t.Errorf("told %+v", told)
	}
	if err := client.SignIn(testContext(t), "alice", "password"); err != nil {
		t.Fatal(err)
	}
	if token, err := client.AccessToken(testContext(t)); token != "at_first" || err != nil {
		t.Errorf("got %q, %v", token, err)
	}
}

func TestTheTokenIsRefreshedInTheBackgroundBetween60And85PercentOfItsLife(t *testing.T) {
	const lifetime = 2 * time.Second
	for _, c := range []struct{ random, share float64 }{{0, 0.60}, {0.999, 0.85}} {
		server := startFakeServer(t)
		client := newTokenClient(t, server, ostiary.TokenClientOptions{})
		client.SetRandom(func() float64 { return c.random })
		at := make(chan time.Time, 10)
		server.answerRefresh(func(context.Context, *pb.RefreshRequest) (*pb.RefreshResponse, error) {
			at <- time.Now()
			return &pb.RefreshResponse{Tokens: tokenSet("second", time.Hour)}, nil
		})
		begun := time.Now()
		client.Resume(ostiary.Tokens{AccessToken: "at", RefreshToken: "ort", ExpireTime: begun.Add(lifetime)})
		share := float64((<-at).Sub(begun)) / float64(lifetime)
		if share < c.share-0.01 || share > c.share+0.13 { // late if the machine is busy
			t.Errorf("refreshed at %.2f of the lifetime, want %.2f", share, c.share)
		}
	}
}

func TestAnExpiredTokenIsNeverGiven(t *testing.T) {
	server := startFakeServer(t)
	client := newTokenClient(t, server, ostiary.TokenClientOptions{})
	server.answerRefresh(func(context.Context, *pb.RefreshRequest) (*pb.RefreshResponse, error) {
		return &pb.RefreshResponse{Tokens: tokenSet("second", time.Hour)}, nil
	})
	client.Resume(ostiary.Tokens{AccessToken: "at_old", RefreshToken: "ort_old", ExpireTime: time.Now().Add(-time.Minute)})
	if token, err := client.AccessToken(testContext(t)); token != "at_second" || err != nil {
		t.Errorf("got %q, %v", token, err)
	}
	headers, err := client.GetRequestMetadata(testContext(t))
	if err != nil || !slices.Equal([]string{headers["authorization"]}, []string{"Bearer at_second"}) {
		t.Errorf("got %v, %v", headers, err)
	}
}

func TestTokensDoNotTravelInClearBeyondThisMachine(t *testing.T) {
	for target, want := range map[string]bool{
		"127.0.0.1:1": false, "localhost:1": false, "[::1]:1": false, "unix:/run/x": false,
		"id.example:1": true, "10.0.0.1:1": true, "localhost.evil.example:1": true,
	} {
		client, err := ostiary.NewTokenClient(ostiary.TokenClientOptions{Target: target})
		if err != nil {
			t.Fatal(err)
		}
		if client.RequireTransportSecurity() != want {
			t.Errorf("%s: want %v", target, want)
		}
		client.Close()
	}
}
