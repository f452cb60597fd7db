#ifndef OSTIARY_SERVER_PASSWORD_DECOYS_H_
#define OSTIARY_SERVER_PASSWORD_DECOYS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "server/base/secret.h"
#include "server/password/hasher.h"
#include "server/password/password_hash.h"

namespace ostiary::password {

// How many accounts carry a hash of each shape: storage's HashShapes.
using HashShapes = std::map<std::string, std::int64_t>;

// The hash an identifier would have if it existed. Without it, a store that
// holds imported hashes names its accounts: a bcrypt of cost 12 takes ten times
// as long to refuse as the argon2id of a stranger.
//
// Immutable, so thread-safe.
class Decoys {
 public:
  // `key` is secret and stays the same while the installation lives: who knows
  // it, or sees it change, can tell a decoy. `current` is what new accounts
  // get.
  Decoys(SecretBytes key, const HashParameters& current);

  // One of `shapes`, each with the probability of its count, always the same
  // for the same `identifier_key`. When the counts move a little, few
  // identifiers change theirs. Current parameters if the store holds nothing.
  PasswordHash For(absl::string_view identifier_key,
                   const HashShapes& shapes) const;

 private:
  double ScoreOf(absl::string_view identifier_key, absl::string_view shape,
                 std::int64_t count) const;

  const SecretBytes key_;
  const PasswordHash current_;
};

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_DECOYS_H_
