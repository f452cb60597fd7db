package revoked

import (
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "ostiary.dev/go/ostiary/v1"
)

// Set is everything that is revoked. Entries only add up; nothing but the
// passing of time takes one out. The zero value is ready for use.
//
// Any number of goroutines may ask with Hits; only one at a time may call the
// other methods.
type Set struct {
	fingerprints table

	mutex    sync.RWMutex // guards what follows against Hits
	accounts map[string]accountCutoff
	clients  map[string]timeCutoff
	keys     map[string]struct{}
	all      timeCutoff
}

// A zero forget time: never.
type accountCutoff struct {
	minGeneration uint64
	forget        time.Time
}

type timeCutoff struct {
	issuedBefore time.Time
	forget       time.Time
}

// Subject is what of a token an entry can hit.
type Subject struct {
	Token      Fingerprint
	Session    Fingerprint
	HasSession bool
	AccountID  string
	Generation uint64
	ClientID   string
	KeyID      string
	IssueTime  time.Time
}

// Hits is true if any entry hits.
func (s *Set) Hits(subject *Subject) bool {
	if s.fingerprints.contains(subject.Token) {
		return true
	}
	if subject.HasSession && s.fingerprints.contains(subject.Session) {
		return true
	}
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	if account, ok := s.accounts[subject.AccountID]; ok && subject.Generation < account.minGeneration {
		return true
	}
	if client, ok := s.clients[subject.ClientID]; ok && client.hits(subject.IssueTime) {
		return true
	}
	if _, ok := s.keys[subject.KeyID]; ok {
		return true
	}
	return s.all.hits(subject.IssueTime)
}

func (c timeCutoff) hits(issued time.Time) bool {
	return !c.issuedBefore.IsZero() && !issued.After(c.issuedBefore)
}

// Len is how many entries there are.
func (s *Set) Len() int {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	n := int(s.fingerprints.count.Load()) + len(s.accounts) + len(s.clients) + len(s.keys)
	if !s.all.issuedBefore.IsZero() {
		n++
	}
	return n
}

// Add merges one entry. ErrMalformed for one of an unknown kind: to pass over a
// revocation that is not understood would be to accept what is revoked.
func (s *Set) Add(entry *pb.RevocationEntry) error {
	forget, ok := timeOrZero(entry.GetForgetTime())
	if !ok {
		return ErrMalformed
	}
	switch target := entry.GetTarget().(type) {
	case *pb.RevocationEntry_TokenId:
		s.fingerprints.add(OfToken(target.TokenId), forget)
	case *pb.RevocationEntry_SessionId:
		s.fingerprints.add(OfSession(target.SessionId), forget)
	case *pb.RevocationEntry_Account:
		s.addAccount(target.Account, forget)
	case *pb.RevocationEntry_Client:
		return s.addClient(target.Client, forget)
	case *pb.RevocationEntry_KeyId:
		s.addKey(target.KeyId)
	case *pb.RevocationEntry_All:
		return s.addAll(target.All, forget)
	default:
		return ErrMalformed
	}
	return nil
}

// AddFingerprints merges a compact set.
func (s *Set) AddFingerprints(set *pb.FingerprintSet) error {
	forget, ok := timeOrZero(set.GetForgetTime())
	if !ok {
		return ErrMalformed
	}
	group := s.fingerprints.groups.find(forget)
	added := 0
	err := decode(set, func(f Fingerprint) { added += s.fingerprints.insert(f, group) })
	s.fingerprints.count.Add(int64(added))
	return err
}

// Forget drops what may be forgotten at a time; never what is about keys.
func (s *Set) Forget(now time.Time) {
	s.fingerprints.forget(now)
	past := func(forget time.Time) bool { return !forget.IsZero() && !forget.After(now) }
	s.mutex.Lock()
	defer s.mutex.Unlock()
	maps.DeleteFunc(s.accounts, func(_ string, c accountCutoff) bool { return past(c.forget) })
	maps.DeleteFunc(s.clients, func(_ string, c timeCutoff) bool { return past(c.forget) })
	if past(s.all.forget) {
		s.all = timeCutoff{}
	}
}

// Snapshot gives all entries in the form of the feed's compact snapshots.
func (s *Set) Snapshot() *pb.RevocationSnapshot {
	snapshot := &pb.RevocationSnapshot{}
	groups := map[int64][]Fingerprint{}
	s.fingerprints.each(func(f Fingerprint, minute int64) { groups[minute] = append(groups[minute], f) })
	for minute, fingerprints := range groups {
		slices.Sort(fingerprints)
		set := encode(fingerprints)
		if minute != neverMinute {
			set.ForgetTime = &timestamppb.Timestamp{Seconds: minute * 60}
		}
		snapshot.FingerprintSets = append(snapshot.FingerprintSets, set)
	}
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	for id, c := range s.accounts {
		cutoff := &pb.AccountCutoff{AccountId: id, MinGeneration: c.minGeneration}
		snapshot.Entries = append(snapshot.Entries, &pb.RevocationEntry{
			Target: &pb.RevocationEntry_Account{Account: cutoff}, ForgetTime: timestamp(c.forget)})
	}
	for id, c := range s.clients {
		cutoff := &pb.ClientCutoff{ClientId: id, IssuedBefore: timestamp(c.issuedBefore)}
		snapshot.Entries = append(snapshot.Entries, &pb.RevocationEntry{
			Target: &pb.RevocationEntry_Client{Client: cutoff}, ForgetTime: timestamp(c.forget)})
	}
	for id := range s.keys {
		snapshot.Entries = append(snapshot.Entries, &pb.RevocationEntry{
			Target: &pb.RevocationEntry_KeyId{KeyId: id}})
	}
	if !s.all.issuedBefore.IsZero() {
		cutoff := &pb.IssueCutoff{IssuedBefore: timestamp(s.all.issuedBefore)}
		snapshot.Entries = append(snapshot.Entries, &pb.RevocationEntry{
			Target: &pb.RevocationEntry_All{All: cutoff}, ForgetTime: timestamp(s.all.forget)})
	}
	return snapshot
}

func (s *Set) addAccount(cutoff *pb.AccountCutoff, forget time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.accounts == nil {
		s.accounts = map[string]accountCutoff{}
	}
	old, known := s.accounts[cutoff.GetAccountId()]
	if known {
		forget = laterToForget(old.forget, forget)
	}
	s.accounts[cutoff.GetAccountId()] = accountCutoff{max(old.minGeneration, cutoff.GetMinGeneration()), forget}
}

func (s *Set) addClient(cutoff *pb.ClientCutoff, forget time.Time) error {
	before, ok := timeOrZero(cutoff.GetIssuedBefore())
	if !ok || before.IsZero() {
		return ErrMalformed
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.clients == nil {
		s.clients = map[string]timeCutoff{}
	}
	s.clients[cutoff.GetClientId()] = s.clients[cutoff.GetClientId()].merge(before, forget)
	return nil
}

func (s *Set) addKey(id string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.keys == nil {
		s.keys = map[string]struct{}{}
	}
	s.keys[id] = struct{}{}
}

func (s *Set) addAll(cutoff *pb.IssueCutoff, forget time.Time) error {
	before, ok := timeOrZero(cutoff.GetIssuedBefore())
	if !ok || before.IsZero() {
		return ErrMalformed
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.all = s.all.merge(before, forget)
	return nil
}

// merge keeps the wider of two cut-offs, and for as long as either is needed.
func (c timeCutoff) merge(issuedBefore, forget time.Time) timeCutoff {
	if c.issuedBefore.IsZero() {
		return timeCutoff{issuedBefore, forget}
	}
	if c.issuedBefore.After(issuedBefore) {
		issuedBefore = c.issuedBefore
	}
	return timeCutoff{issuedBefore, laterToForget(c.forget, forget)}
}

func laterToForget(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if a.After(b) {
		return a
	}
	return b
}

// timeOrZero is false for a time that is none.
func timeOrZero(t *timestamppb.Timestamp) (time.Time, bool) {
	if t == nil {
		return time.Time{}, true
	}
	return t.AsTime(), t.IsValid()
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
