package ostiary_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.dev/go"
	pb "ostiary.dev/go/ostiary/v1"
	"ostiary.dev/go/ostiarytest"
)

func loggerTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestEachRuleHasItsReason(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	verifier := issuer.VerifierWith(ostiary.Options{Leeway: ostiary.NoLeeway})
	other := ostiarytest.NewIssuer()
	extra := func(name string, value any) ostiarytest.Token {
		return ostiarytest.Token{Extra: map[string]any{name: value}}
	}
	for name, c := range map[string]struct {
		token string
		want  ostiary.Reason
	}{
		"good":             {issuer.Token(ostiarytest.Token{}), ""},
		"empty":            {"", ostiary.TokenMalformed},
		"over 16 KiB":      {strings.Repeat("a", 16*1024+1), ostiary.TokenMalformed},
		"another key":      {other.Token(ostiarytest.Token{}), ostiary.KeyUnknown},
		"another issuer":   {issuer.Token(extra("iss", "x")), ostiary.IssuerMismatch},
		"no client":        {issuer.Token(extra("client_id", "")), ostiary.TokenMalformed},
		"lives too long":   {issuer.Token(ostiarytest.Token{Lifetime: 24*time.Hour + time.Second}), ostiary.TokenMalformed},
		"lives a day":      {issuer.Token(ostiarytest.Token{Lifetime: 24 * time.Hour}), ""},
		"not yet":          {issuer.Token(extra("nbf", time.Now().Unix()+100)), ostiary.TokenNotYetValid},
		"expired":          {issuer.Token(ostiarytest.Token{Lifetime: -1}), ostiary.TokenExpired},
		"another audience": {issuer.Token(ostiarytest.Token{Audiences: []string{"x"}}), ostiary.AudienceMismatch},
		"two audiences":    {issuer.Token(ostiarytest.Token{Audiences: []string{"x", "api"}}), ""},
	} {
		t.Run(name, func(t *testing.T) { wantReason(t, verifier, c.token, c.want) })
	}
	good := issuer.Token(ostiarytest.Token{})
	broken := good[:len(good)-6] + "AAAAAA"
	wantReason(t, verifier, broken, ostiary.SignatureInvalid)
}

func TestExpEqualToNowIsExpired(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	token := issuer.Token(ostiarytest.Token{IssueTime: time.Now().Add(-time.Minute), Lifetime: time.Minute})
	wantReason(t, issuer.VerifierWith(ostiary.Options{Leeway: ostiary.NoLeeway}), token, ostiary.TokenExpired)
	wantReason(t, issuer.VerifierWith(ostiary.Options{Leeway: 30 * time.Second}), token, "")
	wantReason(t, issuer.Verifier(), token, "")
}

func TestAllRequiredScopesAndRolesMustBeThere(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	verifier := issuer.Verifier()
	token := issuer.Token(ostiarytest.Token{Scopes: []string{"a", "b"}, Roles: []string{"r"}, SessionID: "sess_1"})
	wantReason(t, verifier, token, "", ostiary.WithScopes("a", "b"), ostiary.WithRoles("r"))
	wantReason(t, verifier, token, ostiary.ScopeMissing, ostiary.WithScopes("a", "c"), ostiary.WithRoles("s"))
	wantReason(t, verifier, token, ostiary.RoleMissing, ostiary.WithScopes("a"), ostiary.WithRoles("r", "s"))
	issuer.RevokeSession("sess_1")
	wantReason(t, verifier, token, ostiary.TokenRevoked, ostiary.WithScopes("c"))
}

func TestAnEmptyAudienceIsMetByNone(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	verifier := issuer.Verifier()
	token := issuer.Token(ostiarytest.Token{Audiences: []string{"orders"}})
	wantReason(t, verifier, token, ostiary.AudienceMismatch, ostiary.WithAudience(""))
	wantReason(t, verifier, token, "", ostiary.WithAudience("orders"))
	wantReason(t, verifier, token, "", ostiary.WithAnyAudience())
}

func TestChangingClaimsDoesNotChangeTheCache(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	verifier := issuer.Verifier()
	token := issuer.Token(ostiarytest.Token{Roles: []string{"reader"}})
	claims, err := verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	claims.Roles[0] = "admin"
	wantReason(t, verifier, token, ostiary.RoleMissing, ostiary.WithRoles("admin"))
}

func TestClaimsSayWhatTheTokenSays(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	claims, err := issuer.Verifier().Verify(t.Context(), issuer.Token(ostiarytest.Token{
		Subject: "acct_1", ClientID: "cli_1", SessionID: "sess_1", TokenID: "tok_1", Generation: 7,
		Extra: map[string]any{"tenant": "x", "amr": []string{"pwd"}, "auth_time": 1_700_000_000.5},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if claims.Subject != "acct_1" || claims.ClientID != "cli_1" || claims.SessionID != "sess_1" ||
		claims.TokenID != "tok_1" || claims.Generation != 7 || claims.ExtraJSON != `{"tenant":"x"}` ||
		claims.AMR[0] != "pwd" || claims.AuthTime.UnixMilli() != 1_700_000_000_500 {
		t.Errorf("%+v", claims)
	}
}

func valid(context.Context, *pb.VerifyRequest) (*pb.VerifyResponse, error) {
	return &pb.VerifyResponse{Valid: true}, nil
}

func TestEachPolicyDoesAsItSaysWhenTheKnowledgeIsStale(t *testing.T) {
	server := startFakeServer(t)
	clock := &shiftedClock{}
	verifier := newVerifierAt(t, optionsFor(server), clock)
	server.next(t).welcome(1, 1, session("sess_1"))
	ready(t, verifier)
	token := server.Token(ostiarytest.Token{SessionID: "sess_2"})
	for _, policy := range []ostiary.Policy{ostiary.AskServer, ostiary.Refuse, ostiary.Accept} {
		wantReason(t, verifier, token, "", ostiary.WithPolicy(policy))
	}
	clock.shift(0, time.Minute)
	wantReason(t, verifier, token, ostiary.CheckUnavailable, ostiary.WithPolicy(ostiary.Refuse))
	wantReason(t, verifier, token, "", ostiary.WithPolicy(ostiary.Accept))
	wantReason(t, verifier, token, ostiary.CheckUnavailable) // the server has no such method
	server.answerVerify(func(_ context.Context, r *pb.VerifyRequest) (*pb.VerifyResponse, error) {
		if r.GetToken() != token || r.GetAudience() != "api" || r.GetAnyAudience() {
			return nil, errors.New("not as asked")
		}
		return &pb.VerifyResponse{Valid: true}, nil
	})
	wantReason(t, verifier, token, "")
	server.answerVerify(func(context.Context, *pb.VerifyRequest) (*pb.VerifyResponse, error) {
		return &pb.VerifyResponse{Reason: "TOKEN_REVOKED"}, nil
	})
	wantReason(t, verifier, token, ostiary.TokenRevoked)
	// Neither is asked about: the answer is known.
	server.answerVerify(valid)
	asks := verifier.Stats().Asks["VALID"]
	wantReason(t, verifier, server.Token(ostiarytest.Token{SessionID: "sess_1"}), ostiary.TokenRevoked)
	wantReason(t, verifier, token, ostiary.ScopeMissing, ostiary.WithScopes("x"))
	if verifier.Stats().Asks["VALID"] != asks {
		t.Error("asked without need")
	}
}

func TestBeforeTheFirstKeySetOnlyTheServerCanTell(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	stream := server.next(t)
	token := server.Token(ostiarytest.Token{SessionID: "sess_1"})
	wantReason(t, verifier, token, ostiary.CheckUnavailable, ostiary.WithPolicy(ostiary.Refuse))
	wantReason(t, verifier, token, ostiary.CheckUnavailable, ostiary.WithPolicy(ostiary.Accept))
	server.answerVerify(valid)
	wantReason(t, verifier, token, "")
	wantReason(t, verifier, "x.y.z", ostiary.TokenMalformed)
	wantReason(t, verifier, server.Token(ostiarytest.Token{Extra: map[string]any{"iss": "x"}}), ostiary.IssuerMismatch)
	stream.send(part(1, 1, session("sess_1")))
	eventually(t, "it is merged", func() bool { return verifier.Stats().Entries == 1 })
	wantReason(t, verifier, token, ostiary.TokenRevoked)
}

func TestAFreshVerifierNeverAsksAboutUnknownKeys(t *testing.T) {
	server := startFakeServer(t)
	server.answerVerify(valid)
	clock := &shiftedClock{}
	verifier := newVerifierAt(t, optionsFor(server), clock)
	server.next(t).welcome(1, 1)
	ready(t, verifier)
	server.RotateKey()
	token := server.Token(ostiarytest.Token{})
	wantReason(t, verifier, token, ostiary.KeyUnknown)
	clock.shift(0, time.Minute)
	wantReason(t, verifier, token, "")
	for _, policy := range []ostiary.Policy{ostiary.Refuse, ostiary.Accept} {
		wantReason(t, verifier, token, ostiary.CheckUnavailable, ostiary.WithPolicy(policy))
	}
}

func TestAMinRevisionThatIsNotReachedIsTreatedLikeStaleness(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	stream := server.next(t)
	stream.welcome(1, 10)
	ready(t, verifier)
	token := server.Token(ostiarytest.Token{})
	wantReason(t, verifier, token, "", ostiary.WithMinRevision(cursorAt(1, 10)))
	later := ostiary.WithMinRevision(cursorAt(1, 11))
	wantReason(t, verifier, token, ostiary.CheckUnavailable, later, ostiary.WithPolicy(ostiary.Refuse))
	wantReason(t, verifier, token, ostiary.CheckUnavailable, later, ostiary.WithPolicy(ostiary.Accept))
	server.answerVerify(func(_ context.Context, r *pb.VerifyRequest) (*pb.VerifyResponse, error) {
		return &pb.VerifyResponse{Valid: r.GetMinRevision() == cursorAt(1, 11)}, nil
	})
	wantReason(t, verifier, token, "", later)
	if _, err := verifier.Verify(t.Context(), token, ostiary.WithMinRevision("rev_x")); !errors.Is(err, ostiary.ErrNotARevision) {
		t.Errorf("got %v", err)
	}
}

func staleVerifier(t *testing.T, server *fakeServer) *ostiary.Verifier {
	t.Helper()
	clock := &shiftedClock{}
	verifier := newVerifierAt(t, optionsFor(server), clock)
	server.next(t).welcome(1, 1)
	ready(t, verifier)
	clock.shift(0, time.Minute)
	return verifier
}

func TestAtMost16AsksAreUnderWay(t *testing.T) {
	server := startFakeServer(t)
	verifier := staleVerifier(t, server)
	release := make(chan struct{})
	server.answerVerify(func(ctx context.Context, _ *pb.VerifyRequest) (*pb.VerifyResponse, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return &pb.VerifyResponse{Valid: true}, nil
	})
	token := server.Token(ostiarytest.Token{})
	results := make(chan error)
	for range 40 {
		go func() {
			_, err := verifier.Verify(context.Background(), token)
			results <- err
		}()
	}
	for range 24 {
		if err := <-results; !errors.Is(err, ostiary.ErrCheckUnavailable) {
			t.Errorf("got %v", err)
		}
	}
	close(release)
	for range 16 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if asks := verifier.Stats().Asks; asks["SHED"] != 24 || asks["VALID"] != 16 {
		t.Errorf("%v", asks)
	}
}

func TestFiveFailuresOpenTheBreakerAndNothingIsAsked(t *testing.T) {
	server := startFakeServer(t)
	verifier := staleVerifier(t, server)
	var asked atomic.Int64
	server.answerVerify(func(context.Context, *pb.VerifyRequest) (*pb.VerifyResponse, error) {
		asked.Add(1)
		return nil, status.Error(codes.ResourceExhausted, "busy")
	})
	token := server.Token(ostiarytest.Token{})
	for range 50 {
		wantReason(t, verifier, token, ostiary.CheckUnavailable)
	}
	if stats := verifier.Stats(); asked.Load() != 5 || !stats.BreakerOpen {
		t.Errorf("asked %d times, %+v", asked.Load(), stats)
	}
	server.answerVerify(valid)
	eventually(t, "a probe closes the breaker", func() bool {
		_, err := verifier.Verify(t.Context(), token)
		return err == nil
	})
	if verifier.Stats().BreakerOpen {
		t.Error("still open")
	}
}

func TestTheBreakerDoublesItsPauseAndLetsOneProbeThrough(t *testing.T) {
	var now time.Duration
	breaker := ostiary.NewBreaker(func() time.Duration { return now })
	for range 4 {
		breaker.Ask(false)
	}
	breaker.Ask(true) // not five in a row
	for range 5 {
		if !breaker.Ask(false) {
			t.Fatal("open too early")
		}
	}
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		pause *= time.Second
		if now += pause - 1; breaker.Ask(true) {
			t.Fatalf("closed before %v", pause)
		}
		now += 1 + pause/5
		if !breaker.Ask(false) {
			t.Fatalf("no probe after %v", pause)
		}
		if breaker.Ask(true) {
			t.Fatal("two probes")
		}
	}
	now += 40 * time.Second
	if !breaker.Ask(true) || !breaker.Ask(true) {
		t.Error("not closed by a good probe")
	}
}

func TestAnAskEndsInTime(t *testing.T) {
	server := startFakeServer(t)
	clock := &shiftedClock{}
	options := optionsFor(server)
	options.AskTimeout = 50 * time.Millisecond
	verifier := newVerifierAt(t, options, clock)
	server.next(t).welcome(1, 1)
	ready(t, verifier)
	clock.shift(0, time.Minute)
	server.answerVerify(func(ctx context.Context, _ *pb.VerifyRequest) (*pb.VerifyResponse, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	begun := time.Now()
	wantReason(t, verifier, server.Token(ostiarytest.Token{}), ostiary.CheckUnavailable)
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestAStateFileCarriesTheKnowledgeOverARestart(t *testing.T) {
	server := startFakeServer(t)
	options := optionsFor(server)
	options.StateFile = filepath.Join(t.TempDir(), "state")
	options.Policy = ostiary.Refuse
	first := newVerifier(t, options)
	stream := server.next(t)
	stream.welcome(3, 10, session("sess_1"))
	ready(t, first)
	first.Close()
	if info, err := os.Stat(options.StateFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}

	second := newVerifier(t, options)
	wantReason(t, second, server.Token(ostiarytest.Token{SessionID: "sess_1"}), ostiary.TokenRevoked)
	if again := server.next(t); again.cursor != cursorAt(3, 10) {
		t.Errorf("resumed with %q", again.cursor)
	}
	if stats := second.Stats(); stats.Sequence != 10 || stats.Epoch != 3 || stats.Entries != 1 || stats.Staleness == ostiary.Infinite {
		t.Errorf("%+v", stats)
	}
	second.Close()

	clock := &shiftedClock{wall: time.Hour}
	third := newVerifierAt(t, options, clock)
	wantReason(t, third, server.Token(ostiarytest.Token{IssueTime: time.Now().Add(time.Hour)}), ostiary.CheckUnavailable)
	third.Close()
}

func TestAStateFileThatCannotBeTrustedIsIgnoredWithAWarning(t *testing.T) {
	server := startFakeServer(t)
	good := optionsFor(server)
	good.StateFile = filepath.Join(t.TempDir(), "state")
	first := newVerifier(t, good)
	server.next(t).welcome(3, 10)
	ready(t, first)
	first.Close()
	content, err := os.ReadFile(good.StateFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(o *ostiary.Options) error{
		"a changed byte": func(o *ostiary.Options) error {
			changed := append([]byte(nil), content...)
			changed[len(changed)/2] ^= 1
			return os.WriteFile(o.StateFile, changed, 0o600)
		},
		"cut":            func(o *ostiary.Options) error { return os.WriteFile(o.StateFile, content[:40], 0o600) },
		"empty":          func(o *ostiary.Options) error { return os.WriteFile(o.StateFile, nil, 0o600) },
		"another issuer": func(o *ostiary.Options) error { o.Issuer = "https://other.test"; return nil },
		"others can write it": func(o *ostiary.Options) error {
			return os.Chmod(o.StateFile, 0o622)
		},
	} {
		t.Run(name, func(t *testing.T) {
			options := good
			options.StateFile = filepath.Join(t.TempDir(), "state")
			if err := os.WriteFile(options.StateFile, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := spoil(&options); err != nil {
				t.Fatal(err)
			}
			log := &lockedBuffer{}
			options.Logger = loggerTo(log)
			verifier := newVerifier(t, options)
			if stats := verifier.Stats(); stats.Sequence != 0 || stats.Staleness != ostiary.Infinite {
				t.Errorf("used: %+v", stats)
			}
			if !strings.Contains(log.String(), "level=WARN") {
				t.Errorf("not warned: %q", log)
			}
		})
	}
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	server.next(t).welcome(1, 1)
	ready(t, verifier)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for _, revision := range []string{cursorAt(1, 2), cursorAt(2, 1)} {
		if err := verifier.WaitFor(ctx, revision); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
}

func TestWhoeverWaitsIsToldWhenTheVerifierIsClosed(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	results := make(chan error)
	go func() { results <- verifier.WaitReady(testContext(t)) }()
	go func() { results <- verifier.WaitFor(testContext(t), cursorAt(1, 1)) }()
	server.next(t)
	verifier.Close()
	for range 2 {
		if err := <-results; !errors.Is(err, ostiary.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := verifier.Verify(t.Context(), server.Token(ostiarytest.Token{})); !errors.Is(err, ostiary.ErrCheckUnavailable) {
		t.Errorf("got %v", err)
	}
	verifier.Close()
}

func TestOptionsThatContradictThemselvesAreRefused(t *testing.T) {
	for name, change := range map[string]func(*ostiary.Options){
		"no target":          func(o *ostiary.Options) { o.Target = "" },
		"no issuer":          func(o *ostiary.Options) { o.Issuer = "" },
		"two audiences":      func(o *ostiary.Options) { o.Audience, o.AnyAudience = "x", true },
		"too much leeway":    func(o *ostiary.Options) { o.Leeway = 6 * time.Minute },
		"strange algorithm":  func(o *ostiary.Options) { o.Algorithms = []ostiary.Algorithm{"HS256"} },
		"strange policy":     func(o *ostiary.Options) { o.Policy = 7 },
		"a bearer in clear":  func(o *ostiary.Options) { o.Target, o.BearerToken = "id.example:1", noToken },
		"a negative timeout": func(o *ostiary.Options) { o.AskTimeout = -1 },
	} {
		options := ostiary.Options{Target: "127.0.0.1:1", Issuer: "x"}
		change(&options)
		if verifier, err := ostiary.NewVerifier(t.Context(), options); err == nil {
			verifier.Close()
			t.Errorf("%s: not refused", name)
		}
	}
}

func noToken(context.Context) (string, error) { return "", nil }

func TestManyGoroutinesMayVerifyWhileTheFeedRuns(t *testing.T) {
	server := startFakeServer(t)
	verifier := newVerifier(t, optionsFor(server))
	stream := server.next(t)
	stream.welcome(1, 0)
	ready(t, verifier)
	token := server.Token(ostiarytest.Token{SessionID: "sess_live"})
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 500 {
				if _, err := verifier.Verify(context.Background(), token); err != nil {
					t.Error(err)
					return
				}
				verifier.Stats()
			}
		}()
	}
	for i := range uint64(200) {
		stream.send(delta(1, i, i+1, session("sess_"+cursorAt(1, i))), server.keySet(t))
	}
	for range 4 {
		<-done
	}
	reached(t, verifier, 1, 200)
}
