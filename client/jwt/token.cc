#include "client/jwt/token.h"

#include <array>

#include "client/jwt/base64url.h"
#include "client/jwt/strict_json.h"

namespace ostiary::jwt {
namespace {

namespace json = boost::json;

// Header, payload and signature, or nullopt if there are not exactly three.
std::optional<std::array<absl::string_view, 3>> SplitAtDots(
    absl::string_view text) {
  const std::size_t first = text.find('.');
  if (first == absl::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('.', first + 1);
  if (second == absl::string_view::npos) return std::nullopt;
  if (text.find('.', second + 1) != absl::string_view::npos) {
    return std::nullopt;
  }
  return std::array<absl::string_view, 3>{
      text.substr(0, first), text.substr(first + 1, second - first - 1),
      text.substr(second + 1)};
}

// False if the member is there and not text.
bool ReadText(const json::object& header, absl::string_view name,
              std::optional<std::string>& out) {
  const json::value* value = FindMember(header, name);
  if (value == nullptr) return true;
  if (!value->is_string()) return false;
  const json::string& text = value->get_string();
  out.emplace(text.data(), text.size());
  return true;
}

bool AsksForExtensions(const json::object& header) {
  return FindMember(header, "crit") != nullptr ||
         FindMember(header, "b64") != nullptr ||
         FindMember(header, "zip") != nullptr;
}

}  // namespace

std::optional<RawToken> RawToken::Parse(absl::string_view text) {
  if (text.size() > kMaxTokenBytes) return std::nullopt;
  const auto parts = SplitAtDots(text);
  if (!parts.has_value()) return std::nullopt;
  const auto [header, payload, signature] = *parts;

  const std::optional<std::string> header_json = Base64UrlDecode(header);
  std::optional<std::string> payload_bytes = Base64UrlDecode(payload);
  std::optional<std::string> signature_bytes = Base64UrlDecode(signature);
  if (!header_json.has_value() || !payload_bytes.has_value() ||
      !signature_bytes.has_value()) {
    return std::nullopt;
  }

  RawToken token;
  if (!token.ReadHeader(*header_json)) return std::nullopt;
  token.signing_input_ = text.substr(0, header.size() + 1 + payload.size());
  token.payload_ = *std::move(payload_bytes);
  token.signature_ = *std::move(signature_bytes);
  return token;
}

bool RawToken::ReadHeader(absl::string_view header_json) {
  const std::optional<json::value> value = ParseStrictJson(header_json);
  if (!value.has_value() || !value->is_object()) return false;
  const json::object& header = value->get_object();
  if (AsksForExtensions(header)) return false;

  std::optional<std::string> algorithm;
  if (!ReadText(header, "alg", algorithm) || !algorithm.has_value()) {
    return false;
  }
  algorithm_name_ = *std::move(algorithm);
  return ReadText(header, "kid", kid_) && ReadText(header, "typ", type_);
}

}  // namespace ostiary::jwt
