#include "server/password/scrypt_scheme.h"

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/base/secret.h"
#include "server/password/hash_fault.h"
#include "server/password/hash_text.h"

namespace ostiary::password {
namespace {

struct ScryptFields {
  std::uint64_t n = 0;
  std::uint64_t r = 0;
  std::uint64_t p = 0;
  std::string salt;
  std::string digest;
};

std::uint64_t MemoryOf(const ScryptFields& fields) {
  return 128 * fields.r * (fields.n + fields.p + 2);
}

class Scrypt final : public Scheme {
 public:
  explicit Scrypt(ScryptFields fields) : fields_(std::move(fields)) {}

  bool Matches(absl::string_view password) const override {
    std::string digest(fields_.digest.size(), '\0');
    const int derived = EVP_PBE_scrypt(
        password.data(), password.size(),
        reinterpret_cast<const unsigned char*>(fields_.salt.data()),
        fields_.salt.size(), fields_.n, fields_.r, fields_.p,
        MemoryOf(fields_) + 4096,
        reinterpret_cast<unsigned char*>(digest.data()), digest.size());
    const bool same = EqualInConstantTime(digest, fields_.digest);
    Wipe(digest);
    return derived == 1 && same;
  }
  std::size_t memory_bytes() const override { return MemoryOf(fields_); }

 private:
  const ScryptFields fields_;
};

SchemeOr Make(std::optional<std::uint64_t> n, std::optional<std::uint32_t> r,
              std::optional<std::uint32_t> p, std::optional<std::string> salt,
              std::optional<std::string> digest) {
  if (!n || !r || !p || *r == 0 || *p == 0 || *n < 2 || (*n & (*n - 1)) != 0) {
    return Malformed("scrypt: N is a power of two, r and p at least 1");
  }
  if (!salt || salt->empty() || salt->size() > kMaxSalt) {
    return Malformed("scrypt: salt");
  }
  if (!digest || digest->size() < kMinDigest || digest->size() > kMaxDigest) {
    return Malformed("scrypt: digest");
  }
  ScryptFields fields{*n, *r, *p, *std::move(salt), *std::move(digest)};
  if (fields.n > (1u << 24) || fields.r > 64 || fields.p > 64 ||
      fields.n * fields.r * fields.p > kMaxScryptWork ||
      MemoryOf(fields) > kMaxMemoryKib * 1024) {
    return TooCostly("scrypt: N, r, p");
  }
  return std::make_unique<Scrypt>(std::move(fields));
}

std::string Text(absl::string_view view) {
  return std::string(view.data(), view.size());
}

}  // namespace

SchemeOr ReadPasslibScrypt(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 5) return Malformed("scrypt: expected four fields");
  const std::vector<absl::string_view> costs = absl::StrSplit(parts[2], ',');
  if (costs.size() != 3) return Malformed("scrypt: expected ln=,r=,p=");
  const std::optional<std::uint32_t> log2_n = ReadNamed("ln=", costs[0]);
  if (!log2_n || *log2_n > 32) return Malformed("scrypt: ln");
  return Make(std::uint64_t{1} << *log2_n, ReadNamed("r=", costs[1]),
              ReadNamed("p=", costs[2]),
              ReadBase64(Base64Form::kUnpadded, parts[3]),
              ReadBase64(Base64Form::kUnpadded, parts[4]));
}

SchemeOr ReadDjangoScrypt(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 6) return Malformed("scrypt: expected six fields");
  return Make(ReadDecimal(parts[1]), ReadDecimal(parts[3]),
              ReadDecimal(parts[4]), Text(parts[2]),
              ReadBase64(Base64Form::kPadded, parts[5]));
}

SchemeOr ReadWerkzeugScrypt(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 3) return Malformed("scrypt: expected three fields");
  const std::vector<absl::string_view> method = absl::StrSplit(parts[0], ':');
  if (method.size() != 4) return Malformed("scrypt: method");
  return Make(ReadDecimal(method[1]), ReadDecimal(method[2]),
              ReadDecimal(method[3]), Text(parts[1]), ReadHex(parts[2]));
}

}  // namespace ostiary::password
