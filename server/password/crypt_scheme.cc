#include "server/password/crypt_scheme.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "server/base/secret.h"
#include "server/password/crypt_call.h"
#include "server/password/hash_fault.h"
#include "server/password/hash_text.h"

namespace ostiary::password {
namespace {

class Crypt final : public Scheme {
 public:
  Crypt(absl::string_view text, std::size_t memory_bytes)
      : text_(text.data(), text.size()), memory_bytes_(memory_bytes) {}

  bool Matches(absl::string_view password) const override {
    const SecretBytes output = CallCrypt(password, text_);
    const bool same = EqualInConstantTime(output.Reveal(), text_);
    return same && password.size() <= kMaxCryptPassword &&
           password.find('\0') == absl::string_view::npos;
  }
  std::size_t memory_bytes() const override { return memory_bytes_; }

 private:
  const std::string text_;
  const std::size_t memory_bytes_;
};

constexpr std::size_t kSmall = 64 * 1024;

absl::Status CheckSaltAndDigest(absl::string_view salt, std::size_t max_salt,
                                absl::string_view digest,
                                std::size_t digest_digits) {
  if (salt.empty() || salt.size() > max_salt || !IsCrypt64(salt)) {
    return Malformed("crypt: salt");
  }
  if (digest.size() != digest_digits || !IsCrypt64(digest)) {
    return Malformed("crypt: digest");
  }
  return absl::OkStatus();
}

absl::Status CheckRounds(absl::string_view text) {
  const std::optional<std::uint32_t> rounds = ReadNamed("rounds=", text);
  if (!rounds.has_value() || *rounds < 1000) {
    return Malformed("crypt: rounds= is a plain number from 1000");
  }
  if (*rounds > kMaxShaCryptRounds) return TooCostly("crypt: too many rounds");
  return absl::OkStatus();
}

SchemeOr ReadShaCrypt(absl::string_view text, std::size_t digest_digits) {
  std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() == 5) {
    if (auto s = CheckRounds(parts[2]); !s.ok()) return s;
    parts.erase(parts.begin() + 2);
  }
  if (parts.size() != 4) return Malformed("crypt: expected three fields");
  if (auto s = CheckSaltAndDigest(parts[2], 16, parts[3], digest_digits);
      !s.ok()) {
    return s;
  }
  return std::make_unique<Crypt>(text, kSmall);
}

// N = 2^log2_n blocks of 128 r bytes, p times.
SchemeOr MakeMemoryHard(absl::string_view text, std::uint32_t log2_n,
                        std::uint64_t r, std::uint64_t p) {
  if (log2_n < 1 || r < 1 || p < 1) return Malformed("scrypt: N, r, p");
  if (log2_n > 24 || r > 64 || p > 64) return TooCostly("scrypt: N, r, p");
  const std::uint64_t memory = (std::uint64_t{128} * r) << log2_n;
  if (memory > kMaxMemoryKib * 1024 || ((r * p) << log2_n) > kMaxScryptWork) {
    return TooCostly("scrypt: N, r, p");
  }
  return std::make_unique<Crypt>(text, memory);
}

// Five digits of six bits, the lowest first.
std::optional<std::uint32_t> ReadFiveDigits(absl::string_view text) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::optional<std::uint32_t> digit = ReadCrypt64Digit(text[i]);
    if (!digit.has_value()) return std::nullopt;
    value |= *digit << (6 * i);
  }
  return value;
}

}  // namespace

SchemeOr ReadMd5Crypt(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 4) return Malformed("crypt: expected three fields");
  if (auto s = CheckSaltAndDigest(parts[2], 8, parts[3], 22); !s.ok()) return s;
  return std::make_unique<Crypt>(text, kSmall);
}

SchemeOr ReadSha256Crypt(absl::string_view text) {
  return ReadShaCrypt(text, 43);
}

SchemeOr ReadSha512Crypt(absl::string_view text) {
  return ReadShaCrypt(text, 86);
}

SchemeOr ReadScrypt7(absl::string_view text) {
  constexpr std::size_t kParameters = 11;  // N: 1 digit, r: 5, p: 5
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 4 || parts[2].size() <= kParameters) {
    return Malformed("$7$: expected parameters, salt and digest");
  }
  const absl::string_view salt = parts[2].substr(kParameters);
  if (auto s = CheckSaltAndDigest(salt, 64, parts[3], 43); !s.ok()) return s;
  const auto log2_n = ReadCrypt64Digit(parts[2][0]);
  const auto r = ReadFiveDigits(parts[2].substr(1, 5));
  const auto p = ReadFiveDigits(parts[2].substr(6, 5));
  if (!log2_n || !r || !p) return Malformed("$7$: parameters");
  return MakeMemoryHard(text, *log2_n, *r, *p);
}

SchemeOr ReadYescrypt(absl::string_view text) {
  // Values up to 47 are one digit; nothing in use is higher.
  constexpr std::uint32_t kOneDigit = 47;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 5) return Malformed("$y$: expected four fields");
  if (parts[2].size() != 3 || parts[2][0] != 'j') {
    return Unsupported("$y$: only the default flavour, N and r");
  }
  if (auto s = CheckSaltAndDigest(parts[3], 86, parts[4], 43); !s.ok()) {
    return s;
  }
  const auto log2_n = ReadCrypt64Digit(parts[2][1]);
  const auto r = ReadCrypt64Digit(parts[2][2]);
  if (!log2_n || !r || *log2_n > kOneDigit || *r > kOneDigit) {
    return Malformed("$y$: parameters");
  }
  return MakeMemoryHard(text, *log2_n + 1, *r + 1, 1);
}

}  // namespace ostiary::password
