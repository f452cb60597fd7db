package ostiary_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	pb "ostiary.dev/go/ostiary/v1"
	"ostiary.dev/go/ostiarytest"
)

// testCertificate borrows the one that net/http/httptest brings.
func testCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server.TLS.Certificates[0], roots
}

func TestTLSAndTheBearerTokenOfTheServiceAreUsedForFeedAndAsks(t *testing.T) {
	certificate, roots := testCertificate(t)
	authorizations := make(chan string, 10)
	note := func(ctx context.Context) {
		for _, value := range metadata.ValueFromIncomingContext(ctx, "authorization") {
			authorizations <- value
		}
	}
	server := startFakeServer(t, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)),
		grpc.StreamInterceptor(func(s any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
			note(stream.Context())
			return h(s, stream)
		}))
	server.answerVerify(func(ctx context.Context, _ *pb.VerifyRequest) (*pb.VerifyResponse, error) {
		note(ctx)
		return &pb.VerifyResponse{Valid: true}, nil
	})
	options := optionsFor(server)
	options.TransportCredentials = credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: "example.com"})
	options.BearerToken = func(context.Context) (string, error) { return "mine", nil }
	verifier := newVerifier(t, options)
	stream := server.next(t)
	wantReason(t, verifier, server.Token(ostiarytest.Token{}), "") // asks: nothing is known yet
	stream.welcome(1, 1)
	ready(t, verifier)
	for range 2 {
		if got := <-authorizations; got != "Bearer mine" {
			t.Errorf("got %q", got)
		}
	}
}

func TestAServerWithAnotherCertificateIsNotBelieved(t *testing.T) {
	certificate, _ := testCertificate(t)
	server := startFakeServer(t, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	server.answerVerify(valid)
	options := optionsFor(server)
	options.TransportCredentials = credentials.NewTLS(&tls.Config{RootCAs: x509.NewCertPool(), ServerName: "example.com"})
	verifier := newVerifier(t, options)
	wantReason(t, verifier, server.Token(ostiarytest.Token{}), "CHECK_UNAVAILABLE")
	if verifier.Stats().Connected {
		t.Error("connected")
	}
}
