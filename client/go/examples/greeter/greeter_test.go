package main

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"ostiary.dev/go/examples/greeter/greeterpb"
	"ostiary.dev/go/ostiarytest"
)

// How an application tests its guarded methods, without a server.
func TestTheCountIsForAdmins(t *testing.T) {
	issuer := ostiarytest.NewIssuer()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(issuer.Verifier())
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	client := greeterpb.NewGreeterClient(conn)
	as := func(token ostiarytest.Token) context.Context {
		return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+issuer.Token(token))
	}

	alice := as(ostiarytest.Token{Subject: "acct_alice"})
	response, err := client.Greet(alice, &greeterpb.GreetRequest{})
	if err != nil || response.GetText() != "Hello, acct_alice" {
		t.Errorf("got %v, %v", response, err)
	}
	if _, err := client.Count(alice, &greeterpb.CountRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("got %v", err)
	}
	count, err := client.Count(as(ostiarytest.Token{Roles: []string{"admin"}}), &greeterpb.CountRequest{})
	if err != nil || count.GetGreetings() != 1 {
		t.Errorf("got %v, %v", count, err)
	}
	if _, err := client.Greet(t.Context(), &greeterpb.GreetRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("got %v", err)
	}
}
