#include "server/account/identifiers.h"

#include <utf8proc.h>

#include <cstdlib>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/ids.h"
#include "server/base/reason.h"

namespace ostiary::account {
namespace {

constexpr int kMaxUsernameCharacters = 64;
constexpr std::size_t kMaxLocalPartBytes = 64;
constexpr std::size_t kMaxLabelBytes = 63;

// NFKC, case folded, invisible characters dropped; nullopt if not UTF-8.
std::optional<std::string> Fold(absl::string_view text) {
  utf8proc_uint8_t* folded = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
      static_cast<utf8proc_ssize_t>(text.size()), &folded,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                                     UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                     UTF8PROC_IGNORE | UTF8PROC_REJECTNA));
  if (size < 0) return std::nullopt;
  std::string out(reinterpret_cast<char*>(folded),
                  static_cast<std::size_t>(size));
  std::free(folded);
  return out;
}

bool IsVisible(utf8proc_int32_t codepoint) {
  switch (utf8proc_category(codepoint)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    default:
      return true;
  }
}

struct Scan {
  bool valid_utf8 = true;
  bool all_visible = true;  // neither white space, control nor invisible
  bool has_control = false;
  int characters = 0;
};

Scan ScanText(absl::string_view text) {
  Scan scan;
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t codepoint = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(at, left, &codepoint);
    if (used <= 0) {
      scan.valid_utf8 = false;
      return scan;
    }
    if (!IsVisible(codepoint)) scan.all_visible = false;
    if (utf8proc_category(codepoint) == UTF8PROC_CATEGORY_CC)
      scan.has_control = true;
    ++scan.characters;
    at += used;
    left -= used;
  }
  return scan;
}

bool IsDomain(absl::string_view domain) {
  if (domain.empty()) return false;
  for (const absl::string_view label : absl::StrSplit(domain, '.')) {
    if (label.empty() || label.size() > kMaxLabelBytes) return false;
    if (label.front() == '-' || label.back() == '-') return false;
  }
  return true;
}

bool IsEmail(absl::string_view email) {
  const std::size_t at = email.rfind('@');
  if (at == absl::string_view::npos || at == 0 || at > kMaxLocalPartBytes)
    return false;
  const absl::string_view local = email.substr(0, at);
  if (local.find('@') != absl::string_view::npos) return false;
  if (local.front() == '.' || local.back() == '.') return false;
  return IsDomain(email.substr(at + 1));
}

}  // namespace

absl::StatusOr<std::string> UsernameKey(absl::string_view username,
                                        absl::string_view field) {
  if (username.empty() || username.size() > kMaxIdentifierBytes) {
    return RefuseField(field, "must be 1 to 64 characters long");
  }
  if (absl::StrContains(username, '@')) {
    return RefuseField(
        field,
        "must not contain '@': that is what tells an email from a username");
  }
  const Scan scan = ScanText(username);
  if (!scan.valid_utf8) return RefuseField(field, "must be valid UTF-8");
  if (!scan.all_visible) {
    return RefuseField(
        field, "must not contain spaces, control or invisible characters");
  }
  if (scan.characters > kMaxUsernameCharacters) {
    return RefuseField(field, "must be 1 to 64 characters long");
  }
  // What only becomes white space or an "@" by folding counts, too.
  const std::optional<std::string> key = Fold(username);
  if (!key.has_value() || key->empty() || absl::StrContains(*key, '@') ||
      !ScanText(*key).all_visible) {
    return RefuseField(
        field, "must consist of visible characters and not contain '@'");
  }
  if (BeginsLikeAnId(*key)) {
    return RefuseField(
        field, "must not begin with acct_, sess_, cli_ or ort_: ids do");
  }
  return *key;
}

absl::StatusOr<std::string> EmailKey(absl::string_view email,
                                     absl::string_view field) {
  if (email.size() > kMaxIdentifierBytes) {
    return RefuseField(field, "must be at most 254 bytes long");
  }
  const Scan scan = ScanText(email);
  if (!scan.valid_utf8) return RefuseField(field, "must be valid UTF-8");
  if (!scan.all_visible || !IsEmail(email)) {
    return RefuseField(field, "must be one address such as ada@example.com");
  }
  const std::optional<std::string> key = Fold(email);
  if (!key.has_value() || !IsEmail(*key) || !ScanText(*key).all_visible) {
    return RefuseField(field, "must be one address such as ada@example.com");
  }
  if (BeginsLikeAnId(*key)) {
    return RefuseField(
        field, "must not begin with acct_, sess_, cli_ or ort_: ids do");
  }
  return *key;
}

std::optional<Identifier> ParseIdentifier(absl::string_view text) {
  const bool is_email = absl::StrContains(text, '@');
  absl::StatusOr<std::string> key =
      is_email ? EmailKey(text, "identifier") : UsernameKey(text, "identifier");
  if (!key.ok()) return std::nullopt;
  return Identifier{
      is_email ? Identifier::Kind::kEmail : Identifier::Kind::kUsername,
      *std::move(key)};
}

absl::Status CheckDisplayText(absl::string_view text, std::size_t max_bytes,
                              absl::string_view field) {
  if (text.size() > max_bytes) {
    return RefuseField(
        field, absl::StrCat("must be at most ", max_bytes, " bytes long"));
  }
  const Scan scan = ScanText(text);
  if (!scan.valid_utf8) return RefuseField(field, "must be valid UTF-8");
  if (scan.has_control)
    return RefuseField(field, "must not contain control characters");
  return absl::OkStatus();
}

}  // namespace ostiary::account
