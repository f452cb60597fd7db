// Command greeter is a small gRPC service beside Ostiary.
//
//	greeter serve                     guards itself with a verifier
//	greeter greet IDENTIFIER PASSWORD signs in and calls it every second
//
// Revoke the session (ostiary session revoke) while it greets: the next call is
// refused, and no call to Ostiary was made in between.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"ostiary.dev/go"
	"ostiary.dev/go/examples/greeter/greeterpb"
	"ostiary.dev/go/ostiarygrpc"
)

var (
	target  = flag.String("ostiary", "127.0.0.1:50051", "where Ostiary's gRPC listens")
	issuer  = flag.String("issuer", "http://127.0.0.1:8080", "ostiaryd's --issuer")
	address = flag.String("address", "127.0.0.1:50061", "where the greeter listens")
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: greeter [flags] serve | greet IDENTIFIER PASSWORD")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case flag.Arg(0) == "serve" && flag.NArg() == 1:
		err = serve(ctx)
	case flag.Arg(0) == "greet" && flag.NArg() == 3:
		err = greet(ctx, flag.Arg(1), flag.Arg(2))
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "greeter:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	verifier, err := ostiary.NewVerifier(ctx, ostiary.Options{Target: *target, Issuer: *issuer})
	if err != nil {
		return err
	}
	defer verifier.Close()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	server := newServer(verifier)
	context.AfterFunc(ctx, server.GracefulStop)
	fmt.Println("greeter listens on", listener.Addr())
	return server.Serve(listener)
}

func greet(ctx context.Context, identifier, password string) error {
	tokens, err := ostiary.NewTokenClient(ostiary.TokenClientOptions{Target: *target})
	if err != nil {
		return err
	}
	defer tokens.Close()
	if err := tokens.SignIn(ctx, identifier, password); err != nil {
		return err
	}
	fmt.Println("signed in:", tokens.Tokens().SessionID)
	conn, err := grpc.NewClient(*address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(tokens))
	if err != nil {
		return err
	}
	defer conn.Close()
	for ctx.Err() == nil {
		response, err := greeterpb.NewGreeterClient(conn).Greet(ctx, &greeterpb.GreetRequest{})
		if err != nil {
			_ = tokens.SignOut(context.Background())
			return fmt.Errorf("%w (%s)", err, ostiarygrpc.ReasonOf(err))
		}
		fmt.Println(response.GetText())
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	return tokens.SignOut(context.Background())
}
