#include "server/password/pbkdf2_scheme.h"

#include <openssl/evp.h>

#include <boost/json.hpp>
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

struct Pbkdf2Fields {
  const EVP_MD* digest_function = nullptr;
  std::uint32_t iterations = 0;
  std::string salt;
  std::string digest;
};

class Pbkdf2 final : public Scheme {
 public:
  explicit Pbkdf2(Pbkdf2Fields fields) : fields_(std::move(fields)) {}

  bool Matches(absl::string_view password) const override {
    std::string digest(fields_.digest.size(), '\0');
    const int derived = PKCS5_PBKDF2_HMAC(
        password.data(), static_cast<int>(password.size()),
        reinterpret_cast<const unsigned char*>(fields_.salt.data()),
        static_cast<int>(fields_.salt.size()),
        static_cast<int>(fields_.iterations), fields_.digest_function,
        static_cast<int>(digest.size()),
        reinterpret_cast<unsigned char*>(digest.data()));
    const bool same = EqualInConstantTime(digest, fields_.digest);
    Wipe(digest);
    return derived == 1 && same;
  }
  std::size_t memory_bytes() const override { return 64 * 1024; }

 private:
  const Pbkdf2Fields fields_;
};

const EVP_MD* DigestFunction(absl::string_view name) {
  if (name == "sha1") return EVP_sha1();
  if (name == "sha256") return EVP_sha256();
  if (name == "sha512") return EVP_sha512();
  return nullptr;
}

SchemeOr Make(const EVP_MD* digest_function,
              std::optional<std::uint32_t> iterations,
              std::optional<std::string> salt,
              std::optional<std::string> digest) {
  if (digest_function == nullptr) return Unsupported("pbkdf2: hash function");
  if (!iterations || *iterations == 0) return Malformed("pbkdf2: iterations");
  if (!salt || salt->empty() || salt->size() > kMaxSalt) {
    return Malformed("pbkdf2: salt");
  }
  if (!digest || digest->size() < kMinDigest || digest->size() > kMaxDigest) {
    return Malformed("pbkdf2: digest");
  }
  // Each block of output costs all the iterations again.
  const std::size_t block =
      static_cast<std::size_t>(EVP_MD_get_size(digest_function));
  const std::uint64_t blocks = (digest->size() + block - 1) / block;
  if (blocks * *iterations > kMaxPbkdf2Blocks) {
    return TooCostly("pbkdf2: too many iterations");
  }
  return std::make_unique<Pbkdf2>(Pbkdf2Fields{
      digest_function, *iterations, *std::move(salt), *std::move(digest)});
}

std::uint32_t BigEndian32(absl::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::string Text(absl::string_view view) {
  return std::string(view.data(), view.size());
}

// The object within `outer` that is itself written as a string of JSON.
boost::json::object ObjectInString(const boost::json::object& outer,
                                   const char* name) {
  return boost::json::parse(outer.at(name).as_string()).as_object();
}

// Throws what Boost.JSON throws when something is missing or of another type.
SchemeOr ReadKeycloakOrThrow(absl::string_view text) {
  const boost::json::object outer =
      boost::json::parse(boost::json::string_view(text.data(), text.size()))
          .as_object();
  const boost::json::object about = ObjectInString(outer, "credentialData");
  const boost::json::object secret = ObjectInString(outer, "secretData");
  const boost::json::string& algorithm = about.at("algorithm").as_string();
  absl::string_view name(algorithm.data(), algorithm.size());
  if (name.substr(0, 7) != "pbkdf2-") return Unsupported("keycloak: algorithm");
  const boost::json::string& salt = secret.at("salt").as_string();
  const boost::json::string& digest = secret.at("value").as_string();
  return Make(DigestFunction(name.substr(7)),
              about.at("hashIterations").to_number<std::uint32_t>(),
              ReadBase64(Base64Form::kPadded, {salt.data(), salt.size()}),
              ReadBase64(Base64Form::kPadded, {digest.data(), digest.size()}));
}

}  // namespace

SchemeOr ReadPasslibPbkdf2(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 5) return Malformed("pbkdf2: expected four fields");
  const absl::string_view name = parts[1];
  return Make(name == "pbkdf2" ? EVP_sha1() : DigestFunction(name.substr(7)),
              ReadDecimal(parts[2]),
              ReadBase64(Base64Form::kDotUnpadded, parts[3]),
              ReadBase64(Base64Form::kDotUnpadded, parts[4]));
}

SchemeOr ReadDjangoPbkdf2(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 4) return Malformed("pbkdf2: expected four fields");
  return Make(DigestFunction(parts[0].substr(7)), ReadDecimal(parts[1]),
              Text(parts[2]), ReadBase64(Base64Form::kPadded, parts[3]));
}

SchemeOr ReadWerkzeugPbkdf2(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 3) return Malformed("pbkdf2: expected three fields");
  const std::vector<absl::string_view> method = absl::StrSplit(parts[0], ':');
  if (method.size() != 3) return Malformed("pbkdf2: method");
  return Make(DigestFunction(method[1]), ReadDecimal(method[2]), Text(parts[1]),
              ReadHex(parts[2]));
}

SchemeOr ReadSpringPbkdf2(absl::string_view hex) {
  constexpr std::size_t kSalt = 16;
  constexpr std::size_t kDigest = 32;
  const std::optional<std::string> bytes = ReadHex(hex);
  if (!bytes || bytes->size() != kSalt + kDigest) {
    return Malformed("spring pbkdf2: expected 48 bytes of hex");
  }
  return Make(EVP_sha256(), 310'000, bytes->substr(0, kSalt),
              bytes->substr(kSalt));
}

SchemeOr ReadAspNetIdentity(absl::string_view text) {
  constexpr std::size_t kHeader =
      13;  // marker, function, iterations, salt size
  const std::optional<std::string> bytes =
      ReadBase64(Base64Form::kPadded, text);
  if (!bytes || bytes->size() <= kHeader || (*bytes)[0] != 1) {
    return Malformed("aspnet identity: expected version 3");
  }
  const std::uint32_t function = BigEndian32(*bytes, 1);
  if (function > 2) return Unsupported("aspnet identity: hash function");
  const EVP_MD* functions[] = {EVP_sha1(), EVP_sha256(), EVP_sha512()};
  const std::uint32_t salt_size = BigEndian32(*bytes, 9);
  if (salt_size > bytes->size() - kHeader) {
    return Malformed("aspnet identity: salt");
  }
  return Make(functions[function], BigEndian32(*bytes, 5),
              bytes->substr(kHeader, salt_size),
              bytes->substr(kHeader + salt_size));
}

SchemeOr ReadKeycloakPbkdf2(absl::string_view text) {
  try {
    return ReadKeycloakOrThrow(text);
  } catch (const std::exception&) {
    return Malformed("keycloak: expected credentialData and secretData");
  }
}

}  // namespace ostiary::password
