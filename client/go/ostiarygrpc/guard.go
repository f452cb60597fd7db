// Package ostiarygrpc guards gRPC servers: calls without a good access token do
// not reach their handlers.
//
//	guard := ostiarygrpc.NewGuard(verifier, ostiarygrpc.Rules{
//		"/greeter.v1.Greeter/Greet": ostiarygrpc.Require(ostiary.WithScopes("greet")),
//		"/grpc.health.v1.Health/*":  ostiarygrpc.Open(),
//	})
//	server := grpc.NewServer(
//		grpc.UnaryInterceptor(guard.Unary), grpc.StreamInterceptor(guard.Stream))
//
// Handlers find out who calls with ostiary.ClaimsFromContext.
package ostiarygrpc

import (
	"context"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"ostiary.dev/go"
	"ostiary.dev/go/internal/bearer"
)

// Rule says what a caller of a method must bring.
type Rule struct {
	open    bool
	options []ostiary.CheckOption
}

// Require asks for a good access token that fulfils the options.
func Require(options ...ostiary.CheckOption) Rule { return Rule{options: options} }

// Open lets everybody call, and does not look at tokens.
func Open() Rule { return Rule{open: true} }

// Rules are found by the full name of a method, "/package.Service/Method", then
// by "/package.Service/*". A method without a rule needs a good token and no
// more: one that is forgotten here is not open.
type Rules map[string]Rule

// Guard holds two interceptors. Safe for use by several goroutines.
type Guard struct {
	verifier *ostiary.Verifier
	rules    Rules
}

// NewGuard takes over rules: they must not be changed afterwards.
func NewGuard(verifier *ostiary.Verifier, rules Rules) *Guard { return &Guard{verifier, rules} }

// Unary is a grpc.UnaryServerInterceptor. It refuses with
//
//	UNAUTHENTICATED    no token, two tokens, or one that is not good
//	PERMISSION_DENIED  SCOPE_MISSING or ROLE_MISSING
//	UNAVAILABLE        CHECK_UNAVAILABLE: nobody can tell now; with RetryInfo
//
// and google.rpc.ErrorInfo{reason, domain: "ostiary"}.
func (g *Guard) Unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := g.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// Stream is a grpc.StreamServerInterceptor. It refuses like Unary, when the
// stream is opened. A handler whose streams live long can verify again.
func (g *Guard) Stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, err := g.admit(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handler(server, &admittedStream{stream, ctx})
}

type admittedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *admittedStream) Context() context.Context { return s.ctx }

func (g *Guard) ruleFor(method string) Rule {
	if rule, ok := g.rules[method]; ok {
		return rule
	}
	return g.rules[method[:strings.LastIndexByte(method, '/')+1]+"*"]
}

func (g *Guard) admit(ctx context.Context, method string) (context.Context, error) {
	rule := g.ruleFor(method)
	if rule.open {
		return ctx, nil
	}
	headers := metadata.ValueFromIncomingContext(ctx, "authorization")
	claims, reason, err := bearer.Check(ctx, g.verifier, headers, rule.options)
	switch {
	case err == nil:
		return ostiary.ContextWithClaims(ctx, claims), nil
	case reason == "":
		return nil, status.Error(codes.Internal, "the guard is set up wrongly")
	case reason == ostiary.ScopeMissing || reason == ostiary.RoleMissing:
		return nil, refusal(codes.PermissionDenied, "The caller may not call this method.", reason)
	case reason == ostiary.CheckUnavailable:
		return nil, refusal(codes.Unavailable, "The access token cannot be checked now.", reason,
			&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	case reason == bearer.Missing:
		return nil, refusal(codes.Unauthenticated, "This method needs an access token.", reason)
	}
	return nil, refusal(codes.Unauthenticated, "The access token was not accepted.", reason)
}

func refusal(code codes.Code, sentence string, reason ostiary.Reason, more ...protoadapt.MessageV1) error {
	plain := status.New(code, sentence)
	info := &errdetails.ErrorInfo{Reason: string(reason), Domain: "ostiary"}
	detailed, err := plain.WithDetails(append([]protoadapt.MessageV1{info}, more...)...)
	if err != nil {
		return plain.Err()
	}
	return detailed.Err()
}

// ReasonOf gives the reason a guard, or Ostiary itself, has refused a call of
// ours with; "" if the error carries none. For clients.
func ReasonOf(err error) ostiary.Reason {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "ostiary" {
			return ostiary.Reason(info.GetReason())
		}
	}
	return ""
}
