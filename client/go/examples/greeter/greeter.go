package main

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"

	"ostiary.dev/go"
	"ostiary.dev/go/examples/greeter/greeterpb"
	"ostiary.dev/go/ostiarygrpc"
)

// greeter is the application. It only ever sees callers that may call.
type greeter struct {
	greeterpb.UnimplementedGreeterServer
	greetings atomic.Int64
}

func (g *greeter) Greet(ctx context.Context, _ *greeterpb.GreetRequest) (*greeterpb.GreetResponse, error) {
	g.greetings.Add(1)
	return &greeterpb.GreetResponse{Text: "Hello, " + ostiary.ClaimsFromContext(ctx).Subject}, nil
}

func (g *greeter) Count(context.Context, *greeterpb.CountRequest) (*greeterpb.CountResponse, error) {
	return &greeterpb.CountResponse{Greetings: g.greetings.Load()}, nil
}

// newServer is all it takes to guard it.
func newServer(verifier *ostiary.Verifier) *grpc.Server {
	guard := ostiarygrpc.NewGuard(verifier, ostiarygrpc.Rules{
		greeterpb.Greeter_Greet_FullMethodName: ostiarygrpc.Require(),
		greeterpb.Greeter_Count_FullMethodName: ostiarygrpc.Require(ostiary.WithRoles("admin")),
	})
	server := grpc.NewServer(grpc.UnaryInterceptor(guard.Unary), grpc.StreamInterceptor(guard.Stream))
	greeterpb.RegisterGreeterServer(server, &greeter{})
	return server
}
