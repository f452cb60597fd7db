// A secret compared with == tells by its time how much of it was right. No
// clock in a test can see the nanoseconds; so what is looked at is who
// compares: this program's linker puts a counter in front of CRYPTO_memcmp.

#include <openssl/crypto.h>

#include <cstddef>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/password/password_hash.h"
#include "server/session/refresh_token.h"

namespace {

std::vector<std::size_t>& Compared() {
  static auto& sizes = *new std::vector<std::size_t>;
  return sizes;
}

}  // namespace

extern "C" int __real_CRYPTO_memcmp(const void* a, const void* b,
                                    std::size_t size);
extern "C" int __wrap_CRYPTO_memcmp(const void* a, const void* b,
                                    std::size_t size) {
  Compared().push_back(size);
  return __real_CRYPTO_memcmp(a, b, size);
}

namespace ostiary {
namespace {

TEST(ConstantTime, TheWholeTagOfARefreshTokenIsCompared) {
  storage::SessionRow row;
  row.session_id.fill(7);
  row.salt = std::string(32, 's');
  row.refresh_key_id = "0a1b2c3d";
  const session::SessionSecrets secrets(SecretBytes(std::string(32, 'k')), row);
  auto presented =
      session::PresentedRefreshToken::Parse(secrets.RefreshToken(7));
  ASSERT_TRUE(presented.has_value());
  // Wrong in its first byte and in its last: the same bytes are looked at.
  for (const std::size_t wrong : {std::size_t{0}, presented->tag.size() - 1}) {
    auto forged = *presented;
    forged.tag[wrong] = static_cast<char>(forged.tag[wrong] ^ 1);
    Compared().clear();
    EXPECT_FALSE(secrets.Made(forged));
    EXPECT_EQ(Compared(), std::vector<std::size_t>{32});
  }
}

// One of each way to keep a password; `bytes` is the digest as it is compared.
// Argon2id is not here: libsodium compares it, with its own sodium_memcmp.
struct Stored {
  const char* name;
  const char* hash;
  std::size_t bytes;
};

class ConstantTimeHash : public ::testing::TestWithParam<Stored> {};

TEST_P(ConstantTimeHash, TheWholeDigestIsCompared) {
  const auto hash = password::PasswordHash::Parse(GetParam().hash);
  ASSERT_TRUE(hash.ok()) << hash.status();
  Compared().clear();
  EXPECT_FALSE(hash->Matches(password::PresentedPassword::From("not it")));
  EXPECT_EQ(Compared(), std::vector<std::size_t>{GetParam().bytes});
}

INSTANTIATE_TEST_SUITE_P(
    Schemes, ConstantTimeHash,
    ::testing::Values(
        Stored{"argon2d",
               "$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
               32},
        Stored{"bcrypt",
               "$2b$04$JTlMi8jcdRhxBXXw3.6arOlSTv/53PezaKz2Q.ZfBshKciu5vY8hC",
               31},
        Stored{"pbkdf2",
               "$pbkdf2-sha256$1000$c29tZXNhbHRzb21lc2FsdA$"
               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
               32},
        Stored{"ssha", "{SSHA}AAECAwQFBgcICQoLDA0ODxAREhNzYWx0c2FsdA==", 20}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace ostiary
