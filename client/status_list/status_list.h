#ifndef OSTIARY_CLIENT_STATUS_LIST_STATUS_LIST_H_
#define OSTIARY_CLIENT_STATUS_LIST_STATUS_LIST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::status_list {

// Status values (draft-ietf-oauth-status-list, section 7).
inline constexpr std::uint8_t kValid = 0;
inline constexpr std::uint8_t kInvalid = 1;

// A list inflates to at most this: 128 million one-bit entries. What would be
// more is refused before it is there.
inline constexpr std::size_t kMaxListBytes = 16 * 1024 * 1024;

// The statuses of many tokens, 1, 2, 4 or 8 bits each, the first one in the
// lowest bits of the first byte. A value.
class StatusList {
 public:
  // From the JSON object of the claim `status_list` (section 4.2). Members it
  // does not know are ignored. kInvalidArgument: nothing can be said from it,
  // so every token that points to it is to be refused.
  static absl::StatusOr<StatusList> FromJson(absl::string_view json);

  // From its two members. The same errors.
  static absl::StatusOr<StatusList> FromMembers(std::int64_t bits,
                                                absl::string_view lst);

  // The status at `index`; nullopt beyond the end: the token is to be refused
  // (section 8.3).
  std::optional<std::uint8_t> At(std::uint64_t index) const;

  int bits() const { return bits_; }
  std::uint64_t size() const { return bytes_.size() * (8 / bits_); }

 private:
  StatusList(int bits, std::string bytes)
      : bits_(bits), bytes_(std::move(bytes)) {}

  int bits_;
  std::string bytes_;
};

// The member `lst` for a packed array: zlib, then base64url without padding.
std::string EncodeLst(absl::string_view bytes);

// A packed array of one bit each. All slots are kValid at first.
class OneBitArray {
 public:
  // `slots` is rounded up to a multiple of eight.
  explicit OneBitArray(std::uint32_t slots) : bytes_((slots + 7) / 8, '\0') {}

  // Sets the slot to kInvalid. False if it was, or if there is no such slot.
  bool Flip(std::uint32_t slot);
  bool IsFlipped(std::uint32_t slot) const;
  void FlipAll() { bytes_.assign(bytes_.size(), '\xff'); }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace ostiary::status_list

#endif  // OSTIARY_CLIENT_STATUS_LIST_STATUS_LIST_H_
