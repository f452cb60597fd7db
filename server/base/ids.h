#ifndef OSTIARY_SERVER_BASE_IDS_H_
#define OSTIARY_SERVER_BASE_IDS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary {

// Sixteen bytes that name a thing for ever. Made by Random::NewId: the first
// six are the time in milliseconds, the rest is random, so that rows made
// together lie together.
using IdBytes = std::array<std::uint8_t, 16>;

// "acct_" and 26 characters of Crockford's base32, lower case.
std::string FormatId(absl::string_view prefix, const IdBytes& bytes);

// Strict: the exact prefix, the exact length, lower case, no other spelling of
// the same bytes. Anything else is nullopt.
std::optional<IdBytes> ParseId(absl::string_view prefix,
                               absl::string_view text);

// An id whose type says what it names, so that a session can never be looked
// up by an account's id.
template <typename Kind>
class TypedId {
 public:
  TypedId() = default;
  explicit TypedId(const IdBytes& bytes) : bytes_(bytes) {}

  static std::optional<TypedId> Parse(absl::string_view text) {
    const std::optional<IdBytes> bytes = ParseId(Kind::kPrefix, text);
    if (!bytes.has_value()) return std::nullopt;
    return TypedId(*bytes);
  }

  const IdBytes& bytes() const { return bytes_; }
  std::string ToString() const { return FormatId(Kind::kPrefix, bytes_); }

  friend auto operator<=>(const TypedId&, const TypedId&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const TypedId& id) {
    return H::combine_contiguous(std::move(h), id.bytes_.data(),
                                 id.bytes_.size());
  }

 private:
  IdBytes bytes_{};
};

struct AccountKind {
  static constexpr absl::string_view kPrefix = "acct_";
};
struct SessionKind {
  static constexpr absl::string_view kPrefix = "sess_";
};

struct StatusListKind {
  static constexpr absl::string_view kPrefix = "stl_";
};

using AccountId = TypedId<AccountKind>;
using SessionId = TypedId<SessionKind>;
using StatusListId = TypedId<StatusListKind>;

// True if `text` begins with a prefix that our ids use. Usernames and emails
// may not: a token's subject must never be mistaken for something a user chose.
bool BeginsLikeAnId(absl::string_view text);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_IDS_H_
