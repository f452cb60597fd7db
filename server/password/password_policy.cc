#include "server/password/password_policy.h"

#include <zxcvbn.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/reason.h"
#include "server/password/common_passwords.h"

namespace ostiary::password {
namespace {

// zxcvbn takes 3 ms for the worst 100 bytes and grows faster than their number.
// Who has typed that much has typed enough.
constexpr std::size_t kMaxScoredBytes = 100;
constexpr std::size_t kMaxContextWords = 16;
constexpr std::size_t kMinContextWord = 3;

struct FreeMatches {
  void operator()(ZxcMatch_t* matches) const { ZxcvbnFreeInfo(matches); }
};

bool HasControlCharacter(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

// The words themselves, and the parts of an email or a full name.
std::vector<std::string> WordsOf(const std::vector<std::string>& context) {
  std::vector<std::string> words;
  for (const std::string& entry : context) {
    const std::string lower =
        absl::AsciiStrToLower(entry.substr(0, kMaxScoredBytes));
    words.push_back(lower);
    for (const absl::string_view part :
         absl::StrSplit(lower, absl::ByAnyChar(" @._-"), absl::SkipEmpty())) {
      words.emplace_back(part.data(), part.size());
    }
  }
  words.erase(std::remove_if(words.begin(), words.end(),
                             [](const std::string& word) {
                               return word.size() < kMinContextWord;
                             }),
              words.end());
  if (words.size() > kMaxContextWords) words.resize(kMaxContextWords);
  return words;
}

struct Strength {
  double guess_bits = 0;
  bool from_context = false;  // one of the words makes most of it
};

bool IsFromContext(const ZxcMatch_t& match, std::size_t size) {
  const int kind = match.Type & ~MULTIPLE_MATCH;
  return (kind == USER_MATCH || kind == USER_LEET_MATCH) &&
         static_cast<std::size_t>(match.Length) * 2 >= size;
}

Strength StrengthOf(absl::string_view password,
                    const std::vector<std::string>& words) {
  const absl::string_view head = password.substr(0, kMaxScoredBytes);
  std::string terminated(head.data(), head.size());
  std::vector<const char*> dictionary;
  for (const std::string& word : words) dictionary.push_back(word.c_str());
  dictionary.push_back(nullptr);
  ZxcMatch_t* matches = nullptr;
  Strength strength;
  strength.guess_bits =
      ZxcvbnMatch(terminated.c_str(), dictionary.data(), &matches);
  const std::unique_ptr<ZxcMatch_t, FreeMatches> owned(matches);
  for (const ZxcMatch_t* m = matches; m != nullptr; m = m->Next) {
    if (IsFromContext(*m, head.size())) strength.from_context = true;
  }
  Wipe(terminated);
  return strength;
}

// "Fktrcfylhjdyf12!" is "fktrcfylhjdyf" to whoever guesses.
absl::string_view WithoutTail(absl::string_view password) {
  while (!password.empty() &&
         !absl::ascii_isalpha(static_cast<unsigned char>(password.back()))) {
    password.remove_suffix(1);
  }
  return password;
}

std::optional<std::string> WrongForm(const PresentedPassword& presented,
                                     std::size_t min_bytes) {
  if (presented.too_long()) {
    return absl::StrCat("is longer than ", kMaxPasswordBytes, " bytes");
  }
  if (!presented.valid_utf8()) return "is not valid UTF-8";
  if (HasControlCharacter(presented.raw())) {
    return "contains a control character";
  }
  const std::size_t size =
      std::min(presented.raw().size(), presented.normalised().size());
  if (size < min_bytes) {
    return absl::StrCat("is shorter than ", min_bytes, " bytes");
  }
  return std::nullopt;
}

std::optional<std::string> TooWeak(absl::string_view password,
                                   const std::vector<std::string>& context,
                                   double min_guess_bits) {
  if (IsCommonPassword(password) || IsCommonPassword(WithoutTail(password))) {
    return "is among the most common passwords, or one of them with a few "
           "characters added";
  }
  const Strength strength = StrengthOf(password, WordsOf(context));
  if (strength.guess_bits >= min_guess_bits) return std::nullopt;
  if (strength.from_context) {
    return "is made of the account's own name or address; anybody would try "
           "that first";
  }
  return "can be guessed quickly; make it longer, for example with several "
         "unrelated words";
}

}  // namespace

absl::Status PasswordPolicy::Check(
    absl::string_view field, const PresentedPassword& presented,
    const std::vector<std::string>& context) const {
  std::optional<std::string> wrong = WrongForm(
      presented, std::max<std::size_t>(options_.min_bytes, kMinPasswordBytes));
  if (!wrong.has_value()) {
    wrong = TooWeak(presented.normalised(), context, options_.min_guess_bits);
  }
  if (!wrong.has_value()) return absl::OkStatus();
  return RefuseFields(
      Reason::kPasswordRejected,
      {{std::string(field.data(), field.size()), *std::move(wrong)}});
}

}  // namespace ostiary::password
