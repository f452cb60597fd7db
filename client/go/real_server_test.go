package ostiary_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"ostiary.dev/go"
	pb "ostiary.dev/go/ostiary/v1"
)

const realIssuer = "https://ostiary.test"

// realServer is an ostiaryd with a data directory of its own.
type realServer struct {
	grpc, socket string
	process      *exec.Cmd
}

// lockedBuffer is what a process has printed so far.
type lockedBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

// startRealServer skips the test if there is no program to start.
func startRealServer(t *testing.T) *realServer {
	t.Helper()
	programs := os.Getenv("OSTIARY_BIN_DIR")
	if programs == "" {
		t.Skip("OSTIARY_BIN_DIR is not set: NOT TESTED against a real server")
	}
	// Short: the path of the operator socket has at most 107 bytes.
	root, err := os.MkdirTemp("", "ost-go-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	return launch(t, programs, filepath.Join(root, "data"), "127.0.0.1:0")
}

func launch(t *testing.T, programs, dataDir, grpcAddress string) *realServer {
	t.Helper()
	out, log := &lockedBuffer{}, &lockedBuffer{}
	process := exec.Command(filepath.Join(programs, "ostiaryd"), "--data-dir="+dataDir,
		"--grpc-listen="+grpcAddress, "--http-listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0",
		"--issuer="+realIssuer, "--hash-memory-kib=8192", "--hash-iterations=1")
	process.Stdout, process.Stderr = out, log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		process.Process.Kill()
		process.Wait()
		if t.Failed() {
			t.Logf("ostiaryd said:\n%s", log)
		}
	})
	s := &realServer{process: process}
	eventually(t, "ostiaryd greets", func() bool {
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSpace(line)
			if address, ok := strings.CutPrefix(line, "gRPC "); ok {
				s.grpc = strings.TrimSpace(address)
			}
			if path, ok := strings.CutPrefix(line, "operator socket "); ok {
				s.socket = strings.TrimSpace(path)
			}
		}
		return s.grpc != "" && s.socket != "" && strings.Contains(out.String(), "\nTry:\n")
	})
	return s
}

func dial(t *testing.T, target string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func (s *realServer) signUpAndIn(t *testing.T, name string) *pb.TokenSet {
	t.Helper()
	const password = "kanarienvogel-im-go-test"
	auth := pb.NewAuthServiceClient(dial(t, s.grpc))
	ctx := testContext(t)
	if _, err := auth.SignUp(ctx, &pb.SignUpRequest{Username: name, Password: password}, grpc.WaitForReady(true)); err != nil {
		t.Fatal(err)
	}
	response, err := auth.SignInWithPassword(ctx, &pb.SignInWithPasswordRequest{Identifier: name, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return response.GetTokens()
}

func TestARealServersRevocationReachesTheVerifier(t *testing.T) {
	server := startRealServer(t)
	tokens := server.signUpAndIn(t, "alice")
	verifier, err := ostiary.NewVerifier(t.Context(), ostiary.Options{Target: server.grpc, Issuer: realIssuer})
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	ctx := testContext(t)
	if err := verifier.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	claims, err := verifier.Verify(ctx, tokens.GetAccessToken())
	if err != nil || claims.SessionID != tokens.GetSessionId() {
		t.Fatalf("%+v, %v", claims, err)
	}
	revoked, err := pb.NewTokenServiceClient(dial(t, "unix:"+server.socket)).Revoke(ctx,
		&pb.RevokeRequest{Target: &pb.RevokeRequest_SessionId{SessionId: tokens.GetSessionId()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.WaitFor(ctx, revoked.GetRevision()); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(ctx, tokens.GetAccessToken()); ostiary.ReasonOf(err) != ostiary.TokenRevoked {
		t.Errorf("got %v", err)
	}
	if stats := verifier.Stats(); len(stats.Asks) != 0 || stats.Entries != 1 || !stats.Connected {
		t.Errorf("%+v", stats)
	}
}

func TestTheFeedComesOverAUnixSocketToo(t *testing.T) {
	server := startRealServer(t)
	verifier, err := ostiary.NewVerifier(t.Context(), ostiary.Options{Target: "unix:" + server.socket, Issuer: realIssuer})
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	if err := verifier.WaitReady(testContext(t)); err != nil {
		t.Error(err)
	}
}

func TestARealServerThatDiesAndComesBackIsFollowedAgain(t *testing.T) {
	server := startRealServer(t)
	tokens := server.signUpAndIn(t, "bob")
	verifier, err := ostiary.NewVerifier(t.Context(), ostiary.Options{
		Target: server.grpc, Issuer: realIssuer, StalenessBound: 300 * time.Millisecond,
		SilenceTimeout: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	ctx := testContext(t)
	if err := verifier.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	server.process.Process.Kill()
	server.process.Wait()
	eventually(t, "the loss is noticed", func() bool {
		_, err := verifier.Verify(ctx, tokens.GetAccessToken())
		return ostiary.ReasonOf(err) == ostiary.CheckUnavailable
	})
	dataDir := filepath.Dir(server.socket)
	launch(t, os.Getenv("OSTIARY_BIN_DIR"), dataDir, server.grpc)
	eventually(t, "the feed is back", func() bool { return verifier.WaitReady(ctx) == nil && verifier.Stats().Connected })
	if _, err := verifier.Verify(ctx, tokens.GetAccessToken()); err != nil {
		t.Error(err)
	}
}

func TestATokenClientRefreshesAtARealServer(t *testing.T) {
	server := startRealServer(t)
	server.signUpAndIn(t, "carol")
	client, err := ostiary.NewTokenClient(ostiary.TokenClientOptions{Target: server.grpc})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := testContext(t)
	if err := client.SignIn(ctx, "carol", "kanarienvogel-im-go-test"); err != nil {
		t.Fatal(err)
	}
	first := client.Tokens()
	if err := client.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	second := client.Tokens()
	if first.AccessToken == second.AccessToken || first.RefreshToken == second.RefreshToken || first.SessionID != second.SessionID {
		t.Error("the tokens were not replaced together")
	}
	if err := client.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AccessToken(ctx); err == nil {
		t.Error("still signed in")
	}
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually polls: what it waits for happens in other processes and goroutines.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !happened(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
