#include "server/password/argon2_scheme.h"

#include <argon2.h>
#include <sodium.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/base/secret.h"
#include "server/password/hash_fault.h"
#include "server/password/hash_text.h"

namespace ostiary::password {
namespace {

constexpr std::uint32_t kVersion10 = 16;
constexpr std::uint32_t kVersion13 = 19;
constexpr std::size_t kMinSalt = 8;

absl::StatusOr<Argon2Variant> ReadVariant(absl::string_view name) {
  if (name == "argon2id") return Argon2Variant::kId;
  if (name == "argon2i") return Argon2Variant::kI;
  if (name == "argon2d") return Argon2Variant::kD;
  return Unsupported("no such variant of argon2");
}

absl::Status ReadCosts(absl::string_view text, Argon2Fields& fields) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  if (parts.size() != 3) return Malformed("argon2: expected m=,t=,p=");
  const auto memory = ReadNamed("m=", parts[0]);
  const auto iterations = ReadNamed("t=", parts[1]);
  const auto lanes = ReadNamed("p=", parts[2]);
  if (!memory || !iterations || !lanes) {
    return Malformed("argon2: expected m=,t=,p= as plain numbers");
  }
  fields.memory_kib = *memory;
  fields.iterations = *iterations;
  fields.lanes = *lanes;
  return absl::OkStatus();
}

absl::Status CheckCosts(const Argon2Fields& fields) {
  if (fields.iterations == 0 || fields.lanes == 0) {
    return Malformed("argon2: t and p are at least 1");
  }
  if (fields.lanes > kMaxArgon2Lanes) return TooCostly("argon2: p too high");
  if (fields.memory_kib < 8 * fields.lanes) {
    return Malformed("argon2: m is at least 8 p");
  }
  if (fields.memory_kib > kMaxMemoryKib) return TooCostly("argon2: m too high");
  if (fields.iterations > kMaxArgon2Iterations ||
      std::uint64_t{fields.memory_kib} * fields.iterations >
          kMaxArgon2KibPasses) {
    return TooCostly("argon2: m times t too high");
  }
  return absl::OkStatus();
}

absl::Status ReadSaltAndDigest(absl::string_view salt, absl::string_view digest,
                               Argon2Fields& fields) {
  const auto salt_bytes = ReadBase64(Base64Form::kUnpadded, salt);
  const auto digest_bytes = ReadBase64(Base64Form::kUnpadded, digest);
  if (!salt_bytes || salt_bytes->size() < kMinSalt ||
      salt_bytes->size() > kMaxSalt) {
    return Malformed("argon2: salt");
  }
  if (!digest_bytes || digest_bytes->size() < kMinDigest ||
      digest_bytes->size() > kMaxDigest) {
    return Malformed("argon2: digest");
  }
  fields.salt = *salt_bytes;
  fields.digest = *digest_bytes;
  return absl::OkStatus();
}

// libsodium is 1.2 to 1.6 times as fast as Debian's libargon2, and knows only
// version 19 of argon2i and argon2id.
class SodiumArgon2 final : public Scheme {
 public:
  SodiumArgon2(absl::string_view text, std::size_t memory_bytes)
      : text_(text.data(), text.size()), memory_bytes_(memory_bytes) {}

  bool Matches(absl::string_view password) const override {
    // libsodium wants an address even of no bytes.
    const char* bytes = password.empty() ? "" : password.data();
    return crypto_pwhash_str_verify(text_.c_str(), bytes, password.size()) == 0;
  }
  std::size_t memory_bytes() const override { return memory_bytes_; }

 private:
  const std::string text_;
  const std::size_t memory_bytes_;
};

// The rest of the family: argon2d, and version 16 of all.
class ReferenceArgon2 final : public Scheme {
 public:
  explicit ReferenceArgon2(Argon2Fields fields) : fields_(std::move(fields)) {}

  bool Matches(absl::string_view password) const override {
    std::string digest(fields_.digest.size(), '\0');
    const int failed = Derive(password, digest);
    const bool same = EqualInConstantTime(digest, fields_.digest);
    Wipe(digest);
    return failed == ARGON2_OK && same;
  }
  std::size_t memory_bytes() const override {
    return std::size_t{fields_.memory_kib} * 1024;
  }

 private:
  static argon2_type TypeOf(Argon2Variant variant) {
    switch (variant) {
      case Argon2Variant::kD:
        return Argon2_d;
      case Argon2Variant::kI:
        return Argon2_i;
      case Argon2Variant::kId:
        return Argon2_id;
    }
    return Argon2_id;
  }

  // The library reads password and salt only, but takes them as mutable.
  static std::uint8_t* Bytes(absl::string_view bytes) {
    return const_cast<std::uint8_t*>(
        reinterpret_cast<const std::uint8_t*>(bytes.data()));
  }

  int Derive(absl::string_view password, std::string& digest) const {
    argon2_context context = {};
    context.out = reinterpret_cast<std::uint8_t*>(digest.data());
    context.outlen = static_cast<std::uint32_t>(digest.size());
    context.pwd = Bytes(password);
    context.pwdlen = static_cast<std::uint32_t>(password.size());
    context.salt = Bytes(fields_.salt);
    context.saltlen = static_cast<std::uint32_t>(fields_.salt.size());
    context.t_cost = fields_.iterations;
    context.m_cost = fields_.memory_kib;
    context.lanes = fields_.lanes;
    context.threads = 1;  // the lane has one thread per core already
    context.version = fields_.version;
    context.flags = ARGON2_DEFAULT_FLAGS;
    return argon2_ctx(&context, TypeOf(fields_.variant));
  }

  const Argon2Fields fields_;
};

}  // namespace

absl::StatusOr<Argon2Fields> ReadArgon2(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '$');
  if (parts.size() != 6 || !parts[0].empty()) {
    return Malformed("argon2: expected five fields");
  }
  const absl::StatusOr<Argon2Variant> variant = ReadVariant(parts[1]);
  if (!variant.ok()) return variant.status();
  const auto version = ReadNamed("v=", parts[2]);
  if (!version.has_value()) return Malformed("argon2: expected v=");
  if (*version != kVersion10 && *version != kVersion13) {
    return Unsupported("no such version of argon2");
  }
  Argon2Fields fields;
  fields.variant = *variant;
  fields.version = *version;
  if (auto s = ReadCosts(parts[3], fields); !s.ok()) return s;
  if (auto s = CheckCosts(fields); !s.ok()) return s;
  if (auto s = ReadSaltAndDigest(parts[4], parts[5], fields); !s.ok()) return s;
  return fields;
}

void ChooseFastestArgon2() {
  static const int chosen = sodium_init();
  if (chosen < 0) std::abort();  // the kernel has no randomness to give
}

SchemeOr ReadArgon2Scheme(absl::string_view text) {
  ChooseFastestArgon2();
  absl::StatusOr<Argon2Fields> fields = ReadArgon2(text);
  if (!fields.ok()) return fields.status();
  if (fields->version == kVersion13 && fields->variant != Argon2Variant::kD) {
    return std::make_unique<SodiumArgon2>(
        text, std::size_t{fields->memory_kib} * 1024);
  }
  return std::make_unique<ReferenceArgon2>(*std::move(fields));
}

}  // namespace ostiary::password
