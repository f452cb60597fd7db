// Command driver holds one verifier and speaks lines of JSON, for
// tests/behaviour; the commands are described there.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"ostiary.dev/go"
)

// command is one line of input: the fields of all commands.
type command struct {
	Op           string   `json:"op"`
	Target       string   `json:"target"`
	Issuer       string   `json:"issuer"`
	Audience     string   `json:"audience"`
	Policy       string   `json:"policy"`
	StalenessMS  int64    `json:"staleness_ms"`
	LeewayMS     *int64   `json:"leeway_ms"`
	AskTimeoutMS int64    `json:"ask_timeout_ms"`
	StateFile    string   `json:"state_file"`
	SilenceMS    int64    `json:"silence_ms"`
	Token        string   `json:"token"`
	Scopes       []string `json:"scopes"`
	Roles        []string `json:"roles"`
	MinRevision  string   `json:"min_revision"`
	AnyAudience  bool     `json:"any_audience"`
	Revision     string   `json:"revision"`
	TimeoutMS    int64    `json:"timeout_ms"`
	UntilReason  string   `json:"until_reason"`
}

type answer map[string]any

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	d := &driver{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var c command
		reply, err := answer(nil), json.Unmarshal(in.Bytes(), &c)
		if err == nil {
			reply, err = d.carryOut(&c)
		}
		if err != nil {
			reply = answer{"error": err.Error()}
		}
		if err := out.Encode(reply); err != nil {
			slog.Error("stdout", "error", err)
			os.Exit(1)
		}
	}
	if d.verifier != nil {
		d.verifier.Close()
	}
}

type driver struct {
	verifier *ostiary.Verifier
}

func (d *driver) carryOut(c *command) (answer, error) {
	if c.Op == "open" {
		return d.open(c)
	}
	if d.verifier == nil {
		return nil, errors.New("no verifier is open")
	}
	switch c.Op {
	case "verify":
		return d.verify(c)
	case "wait_for":
		return d.waitFor(c)
	case "wait_ready":
		ctx, cancel := within(c)
		defer cancel()
		return answer{"ready": d.verifier.WaitReady(ctx) == nil}, nil
	case "spin":
		return d.spin(c)
	case "status":
		return d.status(), nil
	case "close":
		d.verifier.Close()
		d.verifier = nil
		return answer{"ok": true}, nil
	}
	return nil, fmt.Errorf("unknown op %q", c.Op)
}

func (d *driver) open(c *command) (answer, error) {
	if d.verifier != nil {
		return nil, errors.New("a verifier is open already")
	}
	policy, err := policyOf(c.Policy, ostiary.AskServer)
	if err != nil {
		return nil, err
	}
	options := ostiary.Options{
		Target: c.Target, Issuer: c.Issuer, Audience: c.Audience, Policy: policy,
		StalenessBound: milliseconds(c.StalenessMS), AskTimeout: milliseconds(c.AskTimeoutMS),
		SilenceTimeout: milliseconds(c.SilenceMS), StateFile: c.StateFile,
	}
	if c.LeewayMS != nil {
		if options.Leeway = milliseconds(*c.LeewayMS); options.Leeway == 0 {
			options.Leeway = ostiary.NoLeeway
		}
	}
	d.verifier, err = ostiary.NewVerifier(context.Background(), options)
	return answer{"ok": true}, err
}

func checkOptions(c *command) ([]ostiary.CheckOption, error) {
	options := []ostiary.CheckOption{
		ostiary.WithScopes(c.Scopes...), ostiary.WithRoles(c.Roles...), ostiary.WithMinRevision(c.MinRevision),
	}
	if c.AnyAudience {
		options = append(options, ostiary.WithAnyAudience())
	}
	if c.Policy != "" {
		policy, err := policyOf(c.Policy, 0)
		if err != nil {
			return nil, err
		}
		options = append(options, ostiary.WithPolicy(policy))
	}
	return options, nil
}

func (d *driver) verify(c *command) (answer, error) {
	options, err := checkOptions(c)
	if err != nil {
		return nil, err
	}
	claims, err := d.verifier.Verify(context.Background(), c.Token, options...)
	if err == nil {
		return answer{
			"valid": true, "subject": claims.Subject, "session_id": claims.SessionID,
			"scopes": orEmpty(claims.Scopes), "roles": orEmpty(claims.Roles),
		}, nil
	}
	if reason := ostiary.ReasonOf(err); reason != "" {
		return answer{"valid": false, "reason": reason}, nil
	}
	return nil, err
}

func (d *driver) waitFor(c *command) (answer, error) {
	ctx, cancel := within(c)
	defer cancel()
	switch err := d.verifier.WaitFor(ctx, c.Revision); {
	case err == nil:
		return answer{"reached": true}, nil
	case errors.Is(err, ostiary.ErrRevisionLost):
		return answer{"reached": false, "reason": "REVISION_LOST"}, nil
	case errors.Is(err, context.DeadlineExceeded):
		return answer{"reached": false, "reason": "TIMEOUT"}, nil
	default:
		return nil, err
	}
}

func (d *driver) spin(c *command) (answer, error) {
	options, err := checkOptions(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := within(c)
	defer cancel()
	for checks := 1; ; checks++ {
		_, err := d.verifier.Verify(context.Background(), c.Token, options...)
		at := time.Now().UnixMicro()
		if string(ostiary.ReasonOf(err)) == c.UntilReason && (err == nil) == (c.UntilReason == "") {
			return answer{"seen": true, "at_unix_us": at, "checks": checks}, nil
		}
		if ctx.Err() != nil {
			return answer{"seen": false, "at_unix_us": at, "checks": checks}, nil
		}
	}
}

func (d *driver) status() answer {
	stats := d.verifier.Stats()
	staleness := int64(-1)
	if stats.Staleness != ostiary.Infinite {
		staleness = stats.Staleness.Milliseconds()
	}
	// Calls that were made; those the breaker kept back are none.
	var asks uint64
	for outcome, n := range stats.Asks {
		if outcome != "SHED" && outcome != "BREAKER_OPEN" {
			asks += n
		}
	}
	return answer{
		"staleness_ms": staleness, "entries": stats.Entries, "epoch": stats.Epoch,
		"sequence": stats.Sequence, "connected": stats.Connected, "asks": asks,
		"reconnects": stats.Reconnects, "breaker_open": stats.BreakerOpen,
	}
}

func policyOf(name string, missing ostiary.Policy) (ostiary.Policy, error) {
	switch name {
	case "":
		return missing, nil
	case "ask-server":
		return ostiary.AskServer, nil
	case "refuse":
		return ostiary.Refuse, nil
	case "accept":
		return ostiary.Accept, nil
	}
	return 0, fmt.Errorf("unknown policy %q", name)
}

func within(c *command) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), milliseconds(c.TimeoutMS))
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func orEmpty(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
