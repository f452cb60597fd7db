#include "server/password/digest_scheme.h"

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "server/base/secret.h"
#include "server/password/hash_fault.h"
#include "server/password/hash_text.h"

namespace ostiary::password {
namespace {

// The digest of `a` followed by `b`, into `digest` of the function's size.
// `digest` may be where `a` lies.
void DigestOf(EVP_MD_CTX* context, const EVP_MD* function, absl::string_view a,
              absl::string_view b, std::string& digest) {
  EVP_DigestInit_ex(context, function, nullptr);
  EVP_DigestUpdate(context, a.data(), a.size());
  EVP_DigestUpdate(context, b.data(), b.size());
  EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(digest.data()),
                     nullptr);
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

class SaltedSha1 final : public Scheme {
 public:
  explicit SaltedSha1(std::string bytes)
      : digest_(bytes.substr(0, kDigest)), salt_(bytes.substr(kDigest)) {}

  static constexpr std::size_t kDigest = 20;

  bool Matches(absl::string_view password) const override {
    const Context context(EVP_MD_CTX_new());
    std::string digest(kDigest, '\0');
    DigestOf(context.get(), EVP_sha1(), password, salt_, digest);
    const bool same = EqualInConstantTime(digest, digest_);
    Wipe(digest);
    return same;
  }
  std::size_t memory_bytes() const override { return 4096; }

 private:
  const std::string digest_;
  const std::string salt_;
};

constexpr std::size_t kMd5 = 16;
constexpr std::size_t kPhpassSalt = 8;
constexpr std::size_t kPhpassDigits = 22;

// Groups of three bytes, the lowest six bits first.
std::string WritePhpassDigits(absl::string_view bytes) {
  std::string text;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer |= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << bits;
    bits += 8;
    while (bits >= 6) {
      text.push_back(kCrypt64[buffer & 0x3fu]);
      buffer >>= 6;
      bits -= 6;
    }
  }
  if (bits > 0) text.push_back(kCrypt64[buffer & 0x3fu]);
  return text;
}

class Phpass final : public Scheme {
 public:
  Phpass(std::uint32_t rounds, absl::string_view salt, absl::string_view digits)
      : rounds_(rounds),
        salt_(salt.data(), salt.size()),
        digits_(digits.data(), digits.size()) {}

  bool Matches(absl::string_view password) const override {
    const Context context(EVP_MD_CTX_new());
    std::string digest(kMd5, '\0');
    DigestOf(context.get(), EVP_md5(), salt_, password, digest);
    for (std::uint32_t i = 0; i < rounds_; ++i) {
      DigestOf(context.get(), EVP_md5(), digest, password, digest);
    }
    std::string digits = WritePhpassDigits(digest);
    const bool same = EqualInConstantTime(digits, digits_);
    Wipe(digest);
    Wipe(digits);
    return same;
  }
  std::size_t memory_bytes() const override { return 4096; }

 private:
  const std::uint32_t rounds_;
  const std::string salt_;
  const std::string digits_;
};

}  // namespace

SchemeOr ReadSaltedSha1(absl::string_view base64) {
  std::optional<std::string> bytes = ReadBase64(Base64Form::kPadded, base64);
  if (!bytes || bytes->size() < SaltedSha1::kDigest + 4 ||
      bytes->size() > SaltedSha1::kDigest + kMaxSalt) {
    return Malformed("ssha: expected a digest and a salt");
  }
  return std::make_unique<SaltedSha1>(*std::move(bytes));
}

SchemeOr ReadPhpass(absl::string_view text) {
  if (text.size() != 4 + kPhpassSalt + kPhpassDigits ||
      !IsCrypt64(text.substr(3))) {
    return Malformed("phpass: expected rounds, salt and digest");
  }
  const std::uint32_t log2_rounds = *ReadCrypt64Digit(text[3]);
  if (log2_rounds < 7) return Malformed("phpass: rounds");
  if (log2_rounds > kMaxPhpassLog2) return TooCostly("phpass: rounds");
  return std::make_unique<Phpass>(1u << log2_rounds,
                                  text.substr(4, kPhpassSalt),
                                  text.substr(4 + kPhpassSalt));
}

}  // namespace ostiary::password
