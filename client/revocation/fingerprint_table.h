#ifndef OSTIARY_CLIENT_REVOCATION_FINGERPRINT_TABLE_H_
#define OSTIARY_CLIENT_REVOCATION_FINGERPRINT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "client/revocation/fingerprint.h"
#include "client/revocation/minute_groups.h"

namespace ostiary::revocation {

// Internal to RevokedSet.
//
// Fingerprints, each with the group it is forgotten with, in one word: 11 to
// 14 bytes an entry. A flat_hash_set takes 10 to 21, and three times its size
// while it grows. Not thread-safe.
class FingerprintTable {
 public:
  using Group = MinuteGroups::Name;

  bool Contains(Fingerprint fingerprint) const;
  // One that is there already stays for the later of both minutes. True if it
  // is new.
  bool Add(Fingerprint fingerprint, Group group, const MinuteGroups& groups);
  // Takes out what belongs to one of `groups` and gives memory back. Returns
  // how many went.
  std::size_t Drop(const MinuteGroups::Names& groups);

  void Visit(absl::FunctionRef<void(Fingerprint, Group)> visit) const;
  std::size_t size() const { return size_; }

 private:
  // The fingerprint above, the group (never 0) below; 0 is an empty place.
  using Word = std::uint64_t;

  std::size_t PlaceOf(Fingerprint fingerprint) const;
  void Rebuild(std::size_t capacity);

  // Open addressing, linear probing, at most three quarters full.
  std::vector<Word> places_;
  std::size_t size_ = 0;
};

}  // namespace ostiary::revocation

#endif  // OSTIARY_CLIENT_REVOCATION_FINGERPRINT_TABLE_H_
