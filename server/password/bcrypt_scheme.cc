#include "server/password/bcrypt_scheme.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "server/base/secret.h"
#include "server/password/crypt_call.h"
#include "server/password/hash_fault.h"
#include "server/password/hash_text.h"

namespace ostiary::password {
namespace {

constexpr std::size_t kSaltDigits = 22;
constexpr std::size_t kDigestDigits = 31;
constexpr std::size_t kBytesRead = 72;

// What is done to a password before bcrypt sees it.
enum class Before { kNothing, kHexOfSha256, kBase64OfHmac };

struct BcryptFields {
  std::string setting;  // "$2b$12$" and the salt
  std::string salt;     // as text
  std::string digest;   // as text
};

std::string Sha256(absl::string_view bytes) {
  std::string digest(32, '\0');
  EVP_Digest(bytes.data(), bytes.size(),
             reinterpret_cast<unsigned char*>(digest.data()), nullptr,
             EVP_sha256(), nullptr);
  return digest;
}

std::string HmacSha256(absl::string_view key, absl::string_view bytes) {
  std::string digest(32, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &size);
  return digest;
}

class Bcrypt final : public Scheme {
 public:
  Bcrypt(BcryptFields fields, Before before)
      : fields_(std::move(fields)), before_(before) {}

  bool Matches(absl::string_view password) const override {
    const SecretBytes input = InputOf(password);
    const absl::string_view bytes = input.Reveal();
    SecretBytes output =
        CallCrypt(bytes.substr(0, kBytesRead), fields_.setting);
    if (output.size() < kDigestDigits) return false;
    const absl::string_view digest =
        output.Reveal().substr(output.size() - kDigestDigits);
    const bool same = EqualInConstantTime(digest, fields_.digest);
    // After the work: the answer "no" must not come sooner.
    return same && bytes.find('\0') == absl::string_view::npos;
  }

  std::size_t memory_bytes() const override { return 64 * 1024; }

 private:
  SecretBytes InputOf(absl::string_view password) const {
    if (before_ == Before::kNothing) return SecretBytes::CopyOf(password);
    if (before_ == Before::kHexOfSha256) {
      const SecretBytes digest(Sha256(password));
      return SecretBytes(WriteHex(digest.Reveal()));
    }
    const SecretBytes digest(HmacSha256(fields_.salt, password));
    return SecretBytes(WriteBase64(Base64Form::kPadded, digest.Reveal()));
  }

  const BcryptFields fields_;
  const Before before_;
};

absl::Status CheckCost(std::uint32_t cost) {
  if (cost < 4 || cost > 31) return Malformed("bcrypt: cost is 4 to 31");
  if (cost > kMaxBcryptCost) return TooCostly("bcrypt: cost too high");
  return absl::OkStatus();
}

absl::Status CheckDigits(absl::string_view salt, absl::string_view digest) {
  if (salt.size() != kSaltDigits || !IsCrypt64(salt)) {
    return Malformed("bcrypt: salt");
  }
  if (digest.size() != kDigestDigits || !IsCrypt64(digest)) {
    return Malformed("bcrypt: digest");
  }
  return absl::OkStatus();
}

std::optional<std::uint32_t> ReadTwoDigits(absl::string_view text) {
  if (text.size() != 2) return std::nullopt;
  return ReadDecimal(text[0] == '0' ? text.substr(1) : text);
}

absl::StatusOr<BcryptFields> ReadFields(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 4 || !parts[0].empty()) {
    return Malformed("bcrypt: expected three fields");
  }
  if (parts[1] == "2" || parts[1] == "2x") {
    return Unsupported("this variant of bcrypt is broken");
  }
  if (parts[1] != "2a" && parts[1] != "2b" && parts[1] != "2y") {
    return Unsupported("no such variant of bcrypt");
  }
  const std::optional<std::uint32_t> cost = ReadTwoDigits(parts[2]);
  if (!cost.has_value()) return Malformed("bcrypt: cost has two digits");
  if (auto s = CheckCost(*cost); !s.ok()) return s;
  const absl::string_view salt = parts[3].substr(0, kSaltDigits);
  const absl::string_view digest =
      parts[3].size() > kSaltDigits ? parts[3].substr(kSaltDigits) : "";
  if (auto s = CheckDigits(salt, digest); !s.ok()) return s;
  return BcryptFields{absl::StrCat("$", parts[1], "$", parts[2], "$", salt),
                      std::string(salt), std::string(digest)};
}

SchemeOr ReadPlain(absl::string_view text, Before before) {
  absl::StatusOr<BcryptFields> fields = ReadFields(text);
  if (!fields.ok()) return fields.status();
  return std::make_unique<Bcrypt>(*std::move(fields), before);
}

}  // namespace

SchemeOr ReadBcrypt(absl::string_view text) {
  return ReadPlain(text, Before::kNothing);
}

SchemeOr ReadDjangoBcryptSha256(absl::string_view text) {
  return ReadPlain(text, Before::kHexOfSha256);
}

SchemeOr ReadPasslibBcryptSha256(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 5) return Malformed("bcrypt-sha256: four fields");
  const std::vector<absl::string_view> options = absl::StrSplit(parts[2], ',');
  if (options.size() != 3 || options[0] != "v=2" || options[1] != "t=2b") {
    return Unsupported("bcrypt-sha256: only v=2,t=2b");
  }
  const std::optional<std::uint32_t> cost = ReadNamed("r=", options[2]);
  if (!cost.has_value()) return Malformed("bcrypt-sha256: expected r=");
  if (auto s = CheckCost(*cost); !s.ok()) return s;
  if (auto s = CheckDigits(parts[3], parts[4]); !s.ok()) return s;
  return std::make_unique<Bcrypt>(
      BcryptFields{absl::StrFormat("$2b$%02d$", *cost) + std::string(parts[3]),
                   std::string(parts[3]), std::string(parts[4])},
      Before::kBase64OfHmac);
}

}  // namespace ostiary::password
