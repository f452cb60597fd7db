#ifndef OSTIARY_CLIENT_REVOCATION_REVOKED_SET_H_
#define OSTIARY_CLIENT_REVOCATION_REVOKED_SET_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/revocation/fingerprint.h"
#include "client/revocation/fingerprint_table.h"
#include "client/revocation/minute_groups.h"

namespace ostiary::revocation {

// What an entry can hit a token by. The fingerprints are for the caller to
// compute once and keep with the token.
struct TokenMarks {
  Fingerprint token;
  std::optional<Fingerprint> session;  // none: the token has no `sid`
  absl::string_view account_id;        // `sub`
  std::uint64_t generation = 0;        // `gen`; 0 if there is none
  absl::string_view client_id;
  absl::Time issue_time;  // `iat`
  absl::string_view key_id;
};

// Everything a verifier knows to be revoked. A million tokens or sessions take
// 11 to 14 MB.
//
// Entries only add up: adding one can refuse a token, never accept it. For one
// account the highest generation counts, for one client and for all the latest
// time, and what was added twice stays until the later `forget_time`. An entry
// whose `forget_time` is absl::InfiniteFuture stays for ever.
//
// Thread-safe. `Hits` takes readers' locks for some ten nanoseconds and waits
// for a writer no longer than a sixty-fourth of the set takes to sweep.
class RevokedSet {
 public:
  void AddFingerprints(absl::Span<const Fingerprint> fingerprints,
                       absl::Time forget_time);
  // Hits tokens of the account with a lower generation.
  void AddAccount(absl::string_view account_id, std::uint64_t min_generation,
                  absl::Time forget_time);
  // Hits tokens of the client issued at or before a time.
  void AddClient(absl::string_view client_id, absl::Time issued_before,
                 absl::Time forget_time);
  // Hits every token issued at or before a time.
  void AddAll(absl::Time issued_before, absl::Time forget_time);
  // Hits every token the key has signed, for ever.
  void AddKey(absl::string_view key_id);

  // True if any entry hits the token.
  bool Hits(const TokenMarks& token) const;

  // Moves with everything that could make `Hits` say true where it said false,
  // before the call that adds it returns. Read before asking `Hits`: as long as
  // it stands there, a token that was not hit is not hit. Never comes back to a
  // value it had.
  std::uint64_t additions() const {
    return additions_.load(std::memory_order_acquire);
  }

  // Drops entries whose `forget_time` has passed by both clocks: ours (`now`)
  // and the feed's (`as_of`). One clock that is wrong must not bring a revoked
  // token back. Entries may stay up to a minute longer. Returns how many went.
  std::size_t Forget(absl::Time now, absl::Time as_of);

  std::size_t size() const;

  // Hears of every entry once, for keeping them. `Hits` does not wait for it;
  // who adds or forgets does, and must not be called from it.
  class Visitor {
   public:
    virtual ~Visitor() = default;
    // The time is rounded up to a minute.
    virtual void OnFingerprint(Fingerprint fingerprint,
                               absl::Time forget_time) = 0;
    virtual void OnAccount(absl::string_view account_id,
                           std::uint64_t min_generation,
                           absl::Time forget_time) = 0;
    virtual void OnClient(absl::string_view client_id, absl::Time issued_before,
                          absl::Time forget_time) = 0;
    virtual void OnAll(absl::Time issued_before, absl::Time forget_time) = 0;
    virtual void OnKey(absl::string_view key_id) = 0;
  };
  void Visit(Visitor& visitor) const;

 private:
  // The fingerprints are cut by their highest bits into tables that grow and
  // are swept one at a time: neither takes twice the memory or a long lock.
  static constexpr int kShardBits = 6;
  struct Shard {
    mutable absl::Mutex mutex;
    FingerprintTable table ABSL_GUARDED_BY(mutex);
    // Keeps neighbours out of one cache line. Not alignas: AddressSanitizer
    // then calls a misaligned stack what is one of its own making.
    char apart[64];
  };
  struct ByGeneration {
    std::uint64_t min_generation = 0;
    absl::Time forget_time = absl::InfinitePast();
  };
  struct ByTime {
    absl::Time issued_before = absl::InfinitePast();
    absl::Time forget_time = absl::InfinitePast();

    void Raise(const ByTime& other);
  };

  static std::size_t ShardOf(Fingerprint fingerprint) {
    return fingerprint.value >> (Fingerprint::kBits - kShardBits);
  }
  // After the entry is in: who still reads the old value is before the call.
  void NoteAddition() { additions_.fetch_add(1, std::memory_order_release); }
  bool Holds(Fingerprint fingerprint) const;
  bool HitsExactly(const TokenMarks& token) const;
  std::size_t ForgetFingerprints(absl::Time until)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writers_);
  std::size_t ForgetExact(absl::Time until);

  // One writer at a time: a group's name must not end between being asked for
  // and being written into a table. Taken before all others.
  mutable absl::Mutex writers_;
  MinuteGroups groups_ ABSL_GUARDED_BY(writers_);
  std::array<Shard, std::size_t{1} << kShardBits> shards_;
  std::atomic<std::size_t> fingerprints_ = 0;
  std::atomic<std::uint64_t> additions_ = 0;

  mutable absl::Mutex exact_;
  absl::flat_hash_map<std::string, ByGeneration> accounts_
      ABSL_GUARDED_BY(exact_);
  absl::flat_hash_map<std::string, ByTime> clients_ ABSL_GUARDED_BY(exact_);
  absl::flat_hash_set<std::string> keys_ ABSL_GUARDED_BY(exact_);
  ByTime all_ ABSL_GUARDED_BY(exact_);
};

}  // namespace ostiary::revocation

#endif  // OSTIARY_CLIENT_REVOCATION_REVOKED_SET_H_
