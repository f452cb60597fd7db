package ostiary

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// dialer opens connections to one server.
type dialer struct {
	target      string
	credentials credentials.TransportCredentials
	bearer      func(context.Context) (string, error)
	more        []grpc.DialOption
}

// dial does not wait for the connection.
func (d *dialer) dial() (*grpc.ClientConn, error) {
	transport := d.credentials
	if transport == nil {
		transport = insecure.NewCredentials()
	}
	// When to come again is decided by the feed and the breaker. gRPC's own
	// back-off, of up to two minutes, would only hide that the server is there.
	soon := backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.5, MaxDelay: time.Second}
	options := append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: 5 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxFrameBytes)),
		grpc.WithDisableServiceConfig(),
	}, d.more...)
	return grpc.NewClient(d.target, options...)
}

// authorized adds the bearer token, if there is to be one.
func (d *dialer) authorized(ctx context.Context) (context.Context, error) {
	if d.bearer == nil {
		return ctx, nil
	}
	token, err := d.bearer(ctx)
	if err != nil {
		return nil, err
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), nil
}
