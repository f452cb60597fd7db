#ifndef OSTIARY_SERVER_PASSWORD_PASSWORD_HASH_H_
#define OSTIARY_SERVER_PASSWORD_PASSWORD_HASH_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/password/presented_password.h"
#include "server/password/scheme.h"

namespace ostiary::password {

// A stored hash that was read, recognised by its prefix, and found affordable.
// There is no other way to one: what locks an account in other systems ("*",
// "!", an empty string) is no hash and never matches.
//
// Immutable, so thread-safe; copies share what was read.
class PasswordHash {
 public:
  // Quick for any input and allocates no more than the input, whatever costs
  // the text names. Fails as hash_fault.h says.
  static absl::StatusOr<PasswordHash> Parse(absl::string_view text);

  // A hash that no password is known for, of the format and the costs that
  // `shape` names (storage::AccountReader::HashShapes). Fails if no format of
  // ours has this shape.
  static absl::StatusOr<PasswordHash> DecoyOf(absl::string_view shape);

  // True if `presented` made this hash: its bytes as they came or, only if that
  // differs, normalised. So an imported hash over bytes that are not in NFC
  // matches too, and a mismatch costs at most two derivations.
  //
  // Slow on purpose: belongs on a thread of HashWorkers.
  bool Matches(const PresentedPassword& presented) const;

  // The same verdict for the work of a mismatch, whatever it is.
  bool MatchesAtFullCost(const PresentedPassword& presented) const;

  // Taken while Matches runs.
  std::size_t memory_bytes() const { return scheme_->memory_bytes(); }
  // As it is stored.
  const std::string& text() const { return text_; }

 private:
  PasswordHash(absl::string_view text, std::shared_ptr<const Scheme> scheme)
      : text_(text.data(), text.size()), scheme_(std::move(scheme)) {}

  std::string text_;
  std::shared_ptr<const Scheme> scheme_;
};

// The verdict about one pair, for `ostiary hash verify`. `reason` is empty on a
// match, else PASSWORD_MISMATCH or a name of hash_fault.h.
struct OfflineVerdict {
  bool match = false;
  std::string reason;
};
OfflineVerdict VerifyOffline(absl::string_view hash,
                             absl::string_view password);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_PASSWORD_HASH_H_
