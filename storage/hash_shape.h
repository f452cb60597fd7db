#ifndef OSTIARY_STORAGE_HASH_SHAPE_H_
#define OSTIARY_STORAGE_HASH_SHAPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::storage {

// A password hash without its salt and digest: what remains says which format
// and cost it has and nothing about the password. Never fails; input is not
// trusted.
//
//   ""                                      -> ""      (no password)
//   $argon2id$v=19$m=19456,t=2,p=1$S$D      -> $argon2id$v=19$m=19456,t=2,p=1
//   $argon2i$m=4096,t=3,p=1$S$D             -> $argon2i$m=4096,t=3,p=1
//   $2a|2b|2x|2y$12$SD                      -> $2b$12
//   $scrypt$ln=15,r=8,p=1$S$D               -> $scrypt$ln=15,r=8,p=1
//   $6$rounds=5000$S$D, $6$S$D              -> $6$rounds=5000, $6
//   $pbkdf2-sha256$29000$S$D                -> $pbkdf2-sha256$29000
//   $y$j9T$S$D                              -> $y$j9T
//   $7$CCCCCCCCCCCsalt$D                    -> $7$CCCCCCCCCCC
//   anything else                           -> "other"
//
// The general rule: the format's name (lower case letters, digits, '-', at
// most 32 bytes), then every following field that is a list of
// `name=value` pairs, at most three of them; the last field, being the digest,
// is never kept. A shape is at most 96 bytes; what would be longer is "other".
std::string HashShape(absl::string_view password_hash);

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_HASH_SHAPE_H_
