#include "server/base/keyed_hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace ostiary {
namespace {

struct FreeContext {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, FreeContext>;

// Fetched once, without a key: fetching for each hash costs as much as the
// hash.
EVP_MAC_CTX* NewTemplate() {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(hmac);
  if (context == nullptr || EVP_MAC_CTX_set_params(context, parameters) != 1)
    std::abort();
  return context;
}

}  // namespace

std::string HmacSha256(absl::string_view key, absl::string_view message) {
  static const EVP_MAC_CTX* const unkeyed = NewTemplate();
  // Of its own, so that no key stays behind: freeing it wipes the key.
  const Context context(EVP_MAC_CTX_dup(unkeyed));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  std::size_t size = 0;
  const auto bytes = [](absl::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  // An empty key is one too; OpenSSL takes a null pointer for "the last one".
  const absl::string_view some_key = key.empty() ? absl::string_view("") : key;
  if (context == nullptr ||
      EVP_MAC_init(context.get(), bytes(some_key), some_key.size(), nullptr) !=
          1 ||
      EVP_MAC_update(context.get(), bytes(message), message.size()) != 1 ||
      EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) != 1) {
    std::abort();
  }
  return std::string(reinterpret_cast<char*>(digest.data()), size);
}

}  // namespace ostiary
