#include "client/status_list/status_list.h"

#include "client/jwt/base64url.h"
#include "client/jwt/strict_json.h"
#include "client/status_list/zlib_stream.h"

namespace ostiary::status_list {
namespace {

// The text of the largest list if nothing in it can be compressed, and room
// for the other members.
constexpr std::size_t kMaxLstBytes = kMaxListBytes / 3 * 4 + 64 * 1024;

absl::Status NoList(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

bool IsWidth(std::int64_t bits) {
  return bits == 1 || bits == 2 || bits == 4 || bits == 8;
}

}  // namespace

absl::StatusOr<StatusList> StatusList::FromJson(absl::string_view json) {
  if (json.size() > kMaxLstBytes) return NoList("the status list is too large");
  const auto value = jwt::ParseStrictJson(json);
  if (!value.has_value() || !value->is_object())
    return NoList("the status list is not a JSON object");
  const auto* bits = jwt::FindMember(value->get_object(), "bits");
  const auto* lst = jwt::FindMember(value->get_object(), "lst");
  if (bits == nullptr || !bits->is_int64())
    return NoList("the status list has no number `bits`");
  if (lst == nullptr || !lst->is_string())
    return NoList("the status list has no text `lst`");
  const boost::json::string& text = lst->get_string();
  return FromMembers(bits->get_int64(),
                     absl::string_view(text.data(), text.size()));
}

absl::StatusOr<StatusList> StatusList::FromMembers(std::int64_t bits,
                                                   absl::string_view lst) {
  if (!IsWidth(bits)) return NoList("`bits` must be 1, 2, 4 or 8");
  if (lst.size() > kMaxLstBytes) return NoList("the status list is too large");
  const auto stream = jwt::Base64UrlDecode(lst);
  if (!stream.has_value())
    return NoList("`lst` is not base64url without padding");
  auto bytes = Inflate(*stream, kMaxListBytes);
  if (!bytes.has_value())
    return NoList("`lst` is not one zlib stream of at most 16 MiB");
  return StatusList(static_cast<int>(bits), *std::move(bytes));
}

std::optional<std::uint8_t> StatusList::At(std::uint64_t index) const {
  if (index >= size()) return std::nullopt;
  const std::uint64_t in_each = 8 / static_cast<std::uint64_t>(bits_);
  const auto byte = static_cast<std::uint8_t>(bytes_[index / in_each]);
  const auto shift =
      static_cast<int>(index % in_each) * bits_;  // lowest bits first
  const int mask = (1 << bits_) - 1;
  return static_cast<std::uint8_t>((byte >> shift) & mask);
}

std::string EncodeLst(absl::string_view bytes) {
  return jwt::Base64UrlEncode(Deflate(bytes));
}

bool OneBitArray::Flip(std::uint32_t slot) {
  if (slot / 8 >= bytes_.size() || IsFlipped(slot)) return false;
  bytes_[slot / 8] = static_cast<char>(
      static_cast<unsigned char>(bytes_[slot / 8]) | (1U << (slot % 8)));
  return true;
}

bool OneBitArray::IsFlipped(std::uint32_t slot) const {
  if (slot / 8 >= bytes_.size()) return false;
  return ((static_cast<unsigned char>(bytes_[slot / 8]) >> (slot % 8)) & 1U) !=
         0;
}

}  // namespace ostiary::status_list
