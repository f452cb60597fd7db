package ostiary_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"ostiary.dev/go"
	"ostiary.dev/go/internal/knowledge"
	pb "ostiary.dev/go/ostiary/v1"
	"ostiary.dev/go/ostiarytest"
)

// fakeServer says on each stream exactly what a test tells it to.
type fakeServer struct {
	pb.UnimplementedRevocationServiceServer
	pb.UnimplementedTokenServiceServer
	pb.UnimplementedAuthServiceServer

	*ostiarytest.Issuer
	address string
	streams chan *fakeStream

	mutex   sync.Mutex
	verify  func(context.Context, *pb.VerifyRequest) (*pb.VerifyResponse, error)
	refresh func(context.Context, *pb.RefreshRequest) (*pb.RefreshResponse, error)
}

type fakeStream struct {
	t      *testing.T
	server *fakeServer
	cursor string
	stream grpc.ServerStreamingServer[pb.WatchResponse]
	ended  chan error // given to the handler
	gone   <-chan struct{}
}

func startFakeServer(t *testing.T, options ...grpc.ServerOption) *fakeServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeServer{
		Issuer: ostiarytest.NewIssuer(), address: listener.Addr().String(), streams: make(chan *fakeStream, 100),
	}
	server := grpc.NewServer(options...)
	pb.RegisterRevocationServiceServer(server, s)
	pb.RegisterTokenServiceServer(server, s)
	pb.RegisterAuthServiceServer(server, s)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return s
}

func (s *fakeServer) Watch(request *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	f := &fakeStream{server: s, cursor: request.GetCursor(), stream: stream, ended: make(chan error, 1), gone: stream.Context().Done()}
	if !request.GetCompact() {
		panic("the verifier did not ask for a compact snapshot")
	}
	s.streams <- f
	select {
	case err := <-f.ended:
		return err
	case <-f.gone:
		return stream.Context().Err()
	}
}

func (s *fakeServer) Verify(ctx context.Context, request *pb.VerifyRequest) (*pb.VerifyResponse, error) {
	s.mutex.Lock()
	verify := s.verify
	s.mutex.Unlock()
	if verify == nil {
		return s.UnimplementedTokenServiceServer.Verify(ctx, request)
	}
	return verify(ctx, request)
}

func (s *fakeServer) Refresh(ctx context.Context, request *pb.RefreshRequest) (*pb.RefreshResponse, error) {
	s.mutex.Lock()
	refresh := s.refresh
	s.mutex.Unlock()
	return refresh(ctx, request)
}

// answerVerify says what the server answers from now on.
func (s *fakeServer) answerVerify(verify func(context.Context, *pb.VerifyRequest) (*pb.VerifyResponse, error)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.verify = verify
}

func (s *fakeServer) answerRefresh(refresh func(context.Context, *pb.RefreshRequest) (*pb.RefreshResponse, error)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.refresh = refresh
}

// next is the stream the verifier opens next.
func (s *fakeServer) next(t *testing.T) *fakeStream {
	t.Helper()
	select {
	case f := <-s.streams:
		f.t = t
		return f
	case <-time.After(20 * time.Second):
		t.Fatal("the verifier did not come")
		return nil
	}
}

func (s *fakeServer) keySet(t *testing.T) *pb.WatchResponse {
	t.Helper()
	var set struct {
		Keys []*pb.JsonWebKey `json:"keys"`
	}
	if err := json.Unmarshal([]byte(s.JWKS()), &set); err != nil {
		t.Fatal(err)
	}
	return &pb.WatchResponse{Frame: &pb.WatchResponse_KeySet{KeySet: &pb.RevocationKeySet{Keys: set.Keys}}}
}

func (f *fakeStream) send(frames ...*pb.WatchResponse) {
	f.t.Helper()
	for _, frame := range frames {
		if err := f.stream.Send(frame); err != nil {
			f.t.Fatal(err)
		}
	}
}

// welcome sends keys and a complete snapshot.
func (f *fakeStream) welcome(epoch uint32, sequence uint64, entries ...*pb.RevocationEntry) {
	f.t.Helper()
	f.send(f.server.keySet(f.t), lastPart(epoch, sequence, entries...))
}

func (f *fakeStream) end(err error) { f.ended <- err }

// waitUntilLeft returns when the verifier has given the stream up.
func (f *fakeStream) waitUntilLeft() {
	f.t.Helper()
	select {
	case <-f.gone:
	case <-time.After(20 * time.Second):
		f.t.Fatal("the verifier did not leave")
	}
}

func cursorAt(epoch uint32, sequence uint64) string {
	return knowledge.Position{Epoch: epoch, Sequence: sequence}.String()
}

func lastPart(epoch uint32, sequence uint64, entries ...*pb.RevocationEntry) *pb.WatchResponse {
	return &pb.WatchResponse{Frame: &pb.WatchResponse_Snapshot{Snapshot: &pb.RevocationSnapshot{
		Epoch: epoch, Sequence: sequence, Entries: entries, Last: true, AsOf: timestamppb.Now(),
		Cursor: cursorAt(epoch, sequence)}}}
}

func part(epoch uint32, sequence uint64, entries ...*pb.RevocationEntry) *pb.WatchResponse {
	return &pb.WatchResponse{Frame: &pb.WatchResponse_Snapshot{Snapshot: &pb.RevocationSnapshot{
		Epoch: epoch, Sequence: sequence, Entries: entries}}}
}

func delta(epoch uint32, from, to uint64, entries ...*pb.RevocationEntry) *pb.WatchResponse {
	return &pb.WatchResponse{Frame: &pb.WatchResponse_Delta{Delta: &pb.RevocationDelta{
		Epoch: epoch, From: from, To: to, Entries: entries, AsOf: timestamppb.Now(), Cursor: cursorAt(epoch, to)}}}
}

func heartbeat(epoch uint32, sequence uint64) *pb.WatchResponse {
	return &pb.WatchResponse{Frame: &pb.WatchResponse_Heartbeat{Heartbeat: &pb.RevocationHeartbeat{
		Epoch: epoch, Sequence: sequence, AsOf: timestamppb.Now(), Cursor: cursorAt(epoch, sequence)}}}
}

func session(id string) *pb.RevocationEntry {
	return &pb.RevocationEntry{Target: &pb.RevocationEntry_SessionId{SessionId: id},
		ForgetTime: timestamppb.New(time.Now().Add(time.Hour))}
}

// quiet options: what the tests provoke need not be read.
func optionsFor(s *fakeServer) ostiary.Options {
	return ostiary.Options{Target: s.address, Issuer: ostiarytest.Name, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func newVerifier(t *testing.T, options ostiary.Options) *ostiary.Verifier {
	t.Helper()
	verifier, err := ostiary.NewVerifier(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { verifier.Close() })
	return verifier
}

func ready(t *testing.T, verifier *ostiary.Verifier) {
	t.Helper()
	if err := verifier.WaitReady(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

func reached(t *testing.T, verifier *ostiary.Verifier, epoch uint32, sequence uint64) {
	t.Helper()
	if err := verifier.WaitFor(testContext(t), cursorAt(epoch, sequence)); err != nil {
		t.Fatalf("%d/%d: %v", epoch, sequence, err)
	}
}

func wantReason(t *testing.T, verifier *ostiary.Verifier, token string, want ostiary.Reason, options ...ostiary.CheckOption) {
	t.Helper()
	_, err := verifier.Verify(testContext(t), token, options...)
	if got := ostiary.ReasonOf(err); got != want || (err == nil) != (want == "") {
		t.Errorf("want %q, got %v", want, err)
	}
}

// shiftedClock is the machine's clock, moved by a test.
type shiftedClock struct {
	mutex      sync.Mutex
	wall, mono time.Duration
}

func (c *shiftedClock) shift(wall, mono time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.wall += wall
	c.mono += mono
}

func (c *shiftedClock) clock() knowledge.Clock {
	system := knowledge.SystemClock()
	return knowledge.Clock{
		Wall: func() time.Time {
			c.mutex.Lock()
			defer c.mutex.Unlock()
			return system.Wall().Add(c.wall)
		},
		Mono: func() time.Duration {
			c.mutex.Lock()
			defer c.mutex.Unlock()
			return system.Mono() + c.mono
		},
	}
}

func newVerifierAt(t *testing.T, options ostiary.Options, clock *shiftedClock) *ostiary.Verifier {
	t.Helper()
	verifier, err := ostiary.NewVerifierWithClock(t.Context(), options, clock.clock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { verifier.Close() })
	return verifier
}
