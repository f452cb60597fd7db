package revoked

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "ostiary.dev/go/ostiary/v1"
)

var noon = time.Unix(1_800_000_000, 0)

func randomSorted(n int) []Fingerprint {
	source := rand.New(rand.NewPCG(1, 2))
	set := map[Fingerprint]struct{}{}
	for len(set) < n {
		set[Fingerprint(source.Uint64()>>12)] = struct{}{}
	}
	sorted := make([]Fingerprint, 0, n)
	for f := range set {
		sorted = append(sorted, f)
	}
	slices.Sort(sorted)
	return sorted
}

func decoded(t *testing.T, set *pb.FingerprintSet) []Fingerprint {
	t.Helper()
	var all []Fingerprint
	if err := decode(set, func(f Fingerprint) { all = append(all, f) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFingerprintIsTheFirst52BitsOfTheSHA256(t *testing.T) {
	digest := sha256.Sum256([]byte("token:abc"))
	if want := Fingerprint(binary.BigEndian.Uint64(digest[:]) >> 12); OfToken("abc") != want {
		t.Errorf("got %x, want %x", OfToken("abc"), want)
	}
	if OfToken("abc") == OfSession("abc") {
		t.Error("a token and a session of one name share a fingerprint")
	}
}

func TestEliasFanoGivesBackWhatWasPutIn(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 8, 9, 1000, 70_000} {
		sorted := randomSorted(n)
		if n > 2 {
			sorted[0], sorted[n-1] = 0, 1<<52-1
		}
		if got := decoded(t, encode(sorted)); !slices.Equal(got, sorted) {
			t.Errorf("%d fingerprints did not come back", n)
		}
	}
}

// Written by hand after the proto's words, not by encode: 3 numbers with 2 low
// bits, 5 = 1|01, 6 = 1|10, 13 = 11|01. The lows are 01, 10, 01 from the lowest
// bit on; the highs stand at 1+0, 1+1 and 3+2.
func TestEliasFanoReadsTheProtosOwnLayout(t *testing.T) {
	set := &pb.FingerprintSet{Count: 3, LowBits: 2, Lows: []byte{0b01_10_01}, Highs: []byte{0b100110}}
	if got := decoded(t, set); !slices.Equal(got, []Fingerprint{5, 6, 13}) {
		t.Errorf("got %v", got)
	}
}

func TestAMalformedFingerprintSetIsRefused(t *testing.T) {
	good := encode(randomSorted(100))
	for name, change := range map[string]func(*pb.FingerprintSet){
		"more than said":  func(s *pb.FingerprintSet) { s.Count = 101 },
		"lows too short":  func(s *pb.FingerprintSet) { s.Lows = s.Lows[1:] },
		"highs too short": func(s *pb.FingerprintSet) { s.Highs = s.Highs[:5] },
		"53 low bits":     func(s *pb.FingerprintSet) { s.LowBits = 53 },
		"a huge count":    func(s *pb.FingerprintSet) { s.Count = 1<<32 - 1 },
		"a number of more than 52 bits": func(s *pb.FingerprintSet) {
			*s = pb.FingerprintSet{Count: 1, LowBits: 52, Lows: make([]byte, 7), Highs: []byte{2}}
		},
	} {
		set := &pb.FingerprintSet{Count: good.Count, LowBits: good.LowBits, Lows: good.Lows, Highs: good.Highs}
		change(set)
		if err := decode(set, func(Fingerprint) {}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMillionEntriesFitInto20MBAndAreMergedInTime(t *testing.T) {
	if raceDetector {
		t.Skip("a measurement: run-tests does it without the race detector")
	}
	sorted := randomSorted(1_000_000)
	var sets []*pb.FingerprintSet
	wire := 0
	for i := range 20 {
		var part []Fingerprint
		for j := i; j < len(sorted); j += 20 {
			part = append(part, sorted[j])
		}
		set := encode(part)
		set.ForgetTime = timestamppb.New(noon.Add(time.Duration(i) * time.Minute))
		wire += len(set.Lows) + len(set.Highs)
		sets = append(sets, set)
	}
	if wire > 5_000_000 {
		t.Errorf("%d bytes on the wire", wire)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one only finds what the second one frees
	runtime.ReadMemStats(&before)
	set := new(Set)
	begun := time.Now()
	for _, part := range sets {
		if err := set.AddFingerprints(part); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(begun)
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	bytes := after.HeapAlloc - before.HeapAlloc
	t.Logf("%d entries: %v, %.1f MB, %.1f MB on the wire", set.Len(), took, float64(bytes)/1e6, float64(wire)/1e6)
	if set.Len() != len(sorted) {
		t.Errorf("%d entries", set.Len())
	}
	if bytes > 20_000_000 {
		t.Errorf("%d bytes", bytes)
	}
	if took > 5*time.Second { // a machine under load; the figure is in the log
		t.Errorf("took %v", took)
	}
	for _, f := range sorted {
		if !set.fingerprints.contains(f) {
			t.Fatalf("%x is lost", f)
		}
	}
	runtime.KeepAlive(sorted)
	runtime.KeepAlive(sets)
	set.Forget(noon.Add(9 * time.Minute))
	if set.Len() != len(sorted)/2 {
		t.Errorf("%d entries left", set.Len())
	}
	for i, f := range sorted {
		if set.fingerprints.contains(f) != (i%20 >= 10) {
			t.Fatalf("number %d is wrong", i)
		}
	}
}

func account(id string, generation uint64, forget time.Time) *pb.RevocationEntry {
	return &pb.RevocationEntry{ForgetTime: timestamp(forget), Target: &pb.RevocationEntry_Account{
		Account: &pb.AccountCutoff{AccountId: id, MinGeneration: generation}}}
}

func add(t *testing.T, set *Set, entries ...*pb.RevocationEntry) {
	t.Helper()
	for _, entry := range entries {
		if err := set.Add(entry); err != nil {
			t.Fatal(err)
		}
	}
}

func good() *Subject {
	return &Subject{Token: OfToken("jti"), Session: OfSession("sid"), HasSession: true, AccountID: "acct",
		Generation: 5, ClientID: "cli", KeyID: "kid", IssueTime: noon}
}

func TestEachKindOfEntryHitsWhatItSays(t *testing.T) {
	later, same, earlier := timestamp(noon.Add(1)), timestamp(noon), timestamp(noon.Add(-1))
	client := func(id string, at *timestamppb.Timestamp) *pb.RevocationEntry {
		return &pb.RevocationEntry{Target: &pb.RevocationEntry_Client{
			Client: &pb.ClientCutoff{ClientId: id, IssuedBefore: at}}}
	}
	all := func(at *timestamppb.Timestamp) *pb.RevocationEntry {
		return &pb.RevocationEntry{Target: &pb.RevocationEntry_All{All: &pb.IssueCutoff{IssuedBefore: at}}}
	}
	for name, c := range map[string]struct {
		entry *pb.RevocationEntry
		hit   bool
	}{
		"its token":         {&pb.RevocationEntry{Target: &pb.RevocationEntry_TokenId{TokenId: "jti"}}, true},
		"another token":     {&pb.RevocationEntry{Target: &pb.RevocationEntry_TokenId{TokenId: "sid"}}, false},
		"its session":       {&pb.RevocationEntry{Target: &pb.RevocationEntry_SessionId{SessionId: "sid"}}, true},
		"a higher gen":      {account("acct", 6, noon), true},
		"its own gen":       {account("acct", 5, noon), false},
		"another account":   {account("tcca", 6, noon), false},
		"client, later":     {client("cli", later), true},
		"client, same time": {client("cli", same), true},
		"client, earlier":   {client("cli", earlier), false},
		"another client":    {client("ilc", later), false},
		"its key":           {&pb.RevocationEntry{Target: &pb.RevocationEntry_KeyId{KeyId: "kid"}}, true},
		"all, same time":    {all(same), true},
		"all, earlier":      {all(earlier), false},
	} {
		set := new(Set)
		add(t, set, c.entry)
		if set.Hits(good()) != c.hit {
			t.Errorf("%s: want %v", name, c.hit)
		}
		copied := new(Set)
		snapshot := set.Snapshot()
		add(t, copied, snapshot.Entries...)
		for _, fingerprints := range snapshot.FingerprintSets {
			if err := copied.AddFingerprints(fingerprints); err != nil {
				t.Fatal(err)
			}
		}
		if copied.Hits(good()) != c.hit || copied.Len() != 1 {
			t.Errorf("%s: lost by a snapshot", name)
		}
	}
}

func TestAnEntryOfUnknownKindIsAnError(t *testing.T) {
	if err := new(Set).Add(&pb.RevocationEntry{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v", err)
	}
}

func TestALowerGenerationTakesNothingBack(t *testing.T) {
	set := new(Set)
	add(t, set, account("acct", 9, noon), account("acct", 3, noon.Add(time.Hour)))
	if !set.Hits(good()) {
		t.Error("un-revoked by a later entry")
	}
	set.Forget(noon)
	if !set.Hits(good()) {
		t.Error("forgotten with the earlier time")
	}
}

func TestForgettingWaitsForItsTimeAndNeverTakesKeys(t *testing.T) {
	set := new(Set)
	key := &pb.RevocationEntry{Target: &pb.RevocationEntry_KeyId{KeyId: "kid"}, ForgetTime: timestamp(noon)}
	token := &pb.RevocationEntry{Target: &pb.RevocationEntry_TokenId{TokenId: "jti"}, ForgetTime: timestamp(noon)}
	add(t, set, key, token, account("acct", 6, noon))
	set.Forget(noon.Add(-time.Minute))
	if set.Len() != 3 {
		t.Errorf("%d left, too early", set.Len())
	}
	set.Forget(noon.Add(time.Minute))
	if set.Len() != 1 || !set.Hits(good()) {
		t.Errorf("%d left", set.Len())
	}
}

func TestATokenRevokedTwiceIsKeptForTheLaterTime(t *testing.T) {
	set := new(Set)
	for _, minutes := range []time.Duration{5, 30, 10} {
		add(t, set, &pb.RevocationEntry{Target: &pb.RevocationEntry_TokenId{TokenId: "jti"},
			ForgetTime: timestamp(noon.Add(minutes * time.Minute))})
	}
	set.Forget(noon.Add(20 * time.Minute))
	if !set.Hits(good()) || set.Len() != 1 {
		t.Error("forgotten too early")
	}
}

func TestMoreMinutesThanGroupsForgetLateAndNotEarly(t *testing.T) {
	set := new(Set)
	for i := range 5000 {
		add(t, set, &pb.RevocationEntry{Target: &pb.RevocationEntry_TokenId{TokenId: fmt.Sprint(i)},
			ForgetTime: timestamp(noon.Add(time.Duration(i) * time.Minute))})
	}
	set.Forget(noon.Add(2500 * time.Minute))
	for i := 2501; i < 5000; i++ {
		if !set.fingerprints.contains(OfToken(fmt.Sprint(i))) {
			t.Fatalf("%d is forgotten too early", i)
		}
	}
	if set.fingerprints.contains(OfToken("2500")) {
		t.Error("2500 is not forgotten")
	}
}

func TestReadersSeeEveryEntryWhileTheTableGrows(t *testing.T) {
	set := new(Set)
	add(t, set, &pb.RevocationEntry{Target: &pb.RevocationEntry_TokenId{TokenId: "jti"}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20_000 {
			_ = set.Add(&pb.RevocationEntry{Target: &pb.RevocationEntry_TokenId{TokenId: fmt.Sprint(i)},
				ForgetTime: timestamp(noon.Add(time.Duration(i%7) * time.Minute))})
			if i%5000 == 0 {
				set.Forget(noon.Add(3 * time.Minute))
			}
		}
	}()
	for subject := good(); ; {
		if !set.Hits(subject) {
			t.Fatal("a revoked token passed")
		}
		select {
		case <-done:
			return
		default:
		}
	}
}
