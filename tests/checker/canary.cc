#include "tests/checker/canary.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/escaping.h"

namespace ostiary::checker {
namespace {

constexpr std::size_t kShortest = 8;

struct Spelling {
  std::string name;
  std::string text;
};

// What base64 makes of `secret` when `shift` bytes stand before it: the
// characters that no byte around it has a part in.
std::string Base64Core(const std::string& secret, std::size_t shift,
                       bool for_urls) {
  const std::string padded = std::string(shift, '\0') + secret;
  std::string text =
      for_urls ? absl::WebSafeBase64Escape(padded) : absl::Base64Escape(padded);
  const std::size_t whole = padded.size() * 8 / 6;
  text.resize(whole);
  return text.substr((shift * 8 + 5) / 6);
}

std::vector<Spelling> SpellingsOf(const std::string& secret) {
  std::vector<Spelling> spellings = {{"plain", secret}};
  std::string hex = absl::BytesToHexString(secret);
  spellings.push_back({"hex", hex});
  std::transform(hex.begin(), hex.end(), hex.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  spellings.push_back({"hex", std::move(hex)});
  for (std::size_t shift = 0; shift < 3; ++shift) {
    spellings.push_back({"base64", Base64Core(secret, shift, false)});
    spellings.push_back({"base64url", Base64Core(secret, shift, true)});
  }
  return spellings;
}

}  // namespace

std::vector<Leak> FindCanaries(absl::string_view where, absl::string_view text,
                               const std::vector<std::string>& canaries) {
  std::vector<Leak> leaks;
  for (std::size_t i = 0; i < canaries.size(); ++i) {
    if (canaries[i].size() < kShortest) continue;
    for (const Spelling& spelling : SpellingsOf(canaries[i])) {
      const std::size_t at = text.find(spelling.text);
      if (at == absl::string_view::npos) continue;
      leaks.push_back(
          {std::string(where.data(), where.size()), i, spelling.name, at});
      break;
    }
  }
  return leaks;
}

}  // namespace ostiary::checker
