package ostiarygrpc_test

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"ostiary.dev/go"
	"ostiary.dev/go/ostiarygrpc"
	"ostiary.dev/go/ostiarytest"
)

// health answers with whoever calls: any service would do.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	caller chan string
}

func (h *health) note(ctx context.Context) {
	caller := ""
	if claims := ostiary.ClaimsFromContext(ctx); claims != nil {
		caller = claims.Subject
	}
	h.caller <- caller
}

func (h *health) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	h.note(ctx)
	return &grpc_health_v1.HealthCheckResponse{}, nil
}

func (h *health) Watch(_ *grpc_health_v1.HealthCheckRequest, stream grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	h.note(stream.Context())
	return stream.Send(&grpc_health_v1.HealthCheckResponse{})
}

const (
	check = "/grpc.health.v1.Health/Check"
	watch = "/grpc.health.v1.Health/Watch"
	all   = "/grpc.health.v1.Health/*"
)

type site struct {
	client grpc_health_v1.HealthClient
	caller chan string
}

func serve(t *testing.T, guard *ostiarygrpc.Guard) *site {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer(grpc.UnaryInterceptor(guard.Unary), grpc.StreamInterceptor(guard.Stream))
	h := &health{caller: make(chan string, 10)}
	grpc_health_v1.RegisterHealthServer(server, h)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:bufnet", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &site{grpc_health_v1.NewHealthClient(conn), h.caller}
}

// call gives what the unary call and the stream have ended with.
func (s *site) call(t *testing.T, headers ...string) (unary, stream error) {
	t.Helper()
	ctx := t.Context()
	for _, header := range headers {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", header)
	}
	_, unary = s.client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	watching, stream := s.client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if stream == nil {
		_, stream = watching.Recv()
	}
	return unary, stream
}

func TestEachRefusalHasItsCodeAndReason(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	guard := ostiarygrpc.NewGuard(issuer.Verifier(), ostiarygrpc.Rules{
		all: ostiarygrpc.Require(ostiary.WithScopes("greet"))})
	site := serve(t, guard)
	good := "Bearer " + issuer.Token(ostiarytest.Token{Subject: "acct_1", Scopes: []string{"greet"}})
	for name, c := range map[string]struct {
		headers []string
		code    codes.Code
		reason  ostiary.Reason
	}{
		"good":            {[]string{good}, codes.OK, ""},
		"none":            {nil, codes.Unauthenticated, "TOKEN_MISSING"},
		"two":             {[]string{good, good}, codes.Unauthenticated, "TOKEN_AMBIGUOUS"},
		"another scheme":  {[]string{"Basic " + good[7:]}, codes.Unauthenticated, "TOKEN_MISSING"},
		"without scheme":  {[]string{good[7:]}, codes.Unauthenticated, "TOKEN_MISSING"},
		"with more":       {[]string{good + " x"}, codes.Unauthenticated, "TOKEN_MISSING"},
		"lower case":      {[]string{"b" + good[1:]}, codes.OK, ""},
		"expired":         {[]string{"Bearer " + issuer.Token(ostiarytest.Token{Lifetime: -1})}, codes.Unauthenticated, "TOKEN_EXPIRED"},
		"without a scope": {[]string{"Bearer " + issuer.Token(ostiarytest.Token{})}, codes.PermissionDenied, "SCOPE_MISSING"},
	} {
		t.Run(name, func(t *testing.T) {
			unary, stream := site.call(t, c.headers...)
			for _, err := range []error{unary, stream} {
				if status.Code(err) != c.code || ostiarygrpc.ReasonOf(err) != c.reason {
					t.Errorf("got %v, %q", err, ostiarygrpc.ReasonOf(err))
				}
				if err == nil {
					if caller := <-site.caller; caller != "acct_1" {
						t.Errorf("called by %q", caller)
					}
				}
			}
		})
	}
}

func TestAMethodWithoutARuleNeedsAToken(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	site := serve(t, ostiarygrpc.NewGuard(issuer.Verifier(), nil))
	unary, stream := site.call(t)
	if status.Code(unary) != codes.Unauthenticated || status.Code(stream) != codes.Unauthenticated {
		t.Errorf("got %v, %v", unary, stream)
	}
}

func TestAMethodsOwnRuleGoesBeforeItsServices(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	site := serve(t, ostiarygrpc.NewGuard(issuer.Verifier(), ostiarygrpc.Rules{
		all: ostiarygrpc.Open(), watch: ostiarygrpc.Require()}))
	unary, stream := site.call(t)
	if unary != nil || status.Code(stream) != codes.Unauthenticated {
		t.Errorf("got %v, %v", unary, stream)
	}
	if caller := <-site.caller; caller != "" {
		t.Errorf("called by %q", caller)
	}
}

func TestARevokedTokenIsRefusedAtTheNextCall(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	site := serve(t, ostiarygrpc.NewGuard(issuer.Verifier(), ostiarygrpc.Rules{check: ostiarygrpc.Require()}))
	token := issuer.Token(ostiarytest.Token{SessionID: "sess_1"})
	if unary, _ := site.call(t, "Bearer "+token); unary != nil {
		t.Fatal(unary)
	}
	issuer.RevokeSession("sess_1")
	if unary, _ := site.call(t, "Bearer "+token); ostiarygrpc.ReasonOf(unary) != "TOKEN_REVOKED" {
		t.Errorf("got %v", unary)
	}
}

func TestACheckThatIsNotPossibleIsUnavailable(t *testing.T) {
	verifier, err := ostiary.NewVerifier(t.Context(), ostiary.Options{
		Target: "127.0.0.1:1", Issuer: ostiarytest.Name, Policy: ostiary.Refuse})
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	site := serve(t, ostiarygrpc.NewGuard(verifier, nil))
	unary, stream := site.call(t, "Bearer "+ostiarytest.NewIssuer().Token(ostiarytest.Token{}))
	for _, err := range []error{unary, stream} {
		if status.Code(err) != codes.Unavailable || ostiarygrpc.ReasonOf(err) != "CHECK_UNAVAILABLE" {
			t.Errorf("got %v", err)
		}
	}
}
