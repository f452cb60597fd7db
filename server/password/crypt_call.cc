#include "server/password/crypt_call.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <memory>

namespace ostiary::password {
namespace {

struct WipedCryptData {
  ~WipedCryptData() { OPENSSL_cleanse(&data, sizeof(data)); }
  crypt_data data = {};
};

}  // namespace

SecretBytes CallCrypt(absl::string_view password, const std::string& setting) {
  // libcrypt wants a terminated string.
  const absl::string_view bounded = password.substr(0, kMaxCryptPassword);
  std::string phrase(bounded.data(), bounded.size());
  const auto work = std::make_unique<WipedCryptData>();
  const char* output = crypt_rn(phrase.c_str(), setting.c_str(), &work->data,
                                sizeof(work->data));
  SecretBytes result;
  if (output != nullptr) result = SecretBytes::CopyOf(output);
  Wipe(phrase);
  return result;
}

}  // namespace ostiary::password
