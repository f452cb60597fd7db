// The parser of refresh tokens: whatever comes, only a text that this key made
// is taken for one, and each token has one spelling.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "server/session/refresh_token.h"

namespace {

using ostiary::session::PresentedRefreshToken;
using ostiary::session::SessionSecrets;

void Require(bool held, const char* rule) {
  if (held) return;
  std::cerr << "broken: " << rule << std::endl;
  std::abort();
}

ostiary::storage::SessionRow Row(const PresentedRefreshToken& presented) {
  ostiary::storage::SessionRow row;
  row.session_id = presented.session_id.bytes();
  row.salt = std::string(32, 's');
  row.refresh_key_id = presented.key_id;
  return row;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const ostiary::SecretBytes key(std::string(32, 'k'));
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto presented = PresentedRefreshToken::Parse(input);
  if (!presented.has_value()) return 0;
  const SessionSecrets secrets(key, Row(*presented));
  const std::string right = secrets.RefreshToken(presented->generation);
  Require(secrets.Made(*presented) == (right == input),
          "what passes is, letter by letter, what was made");
  const auto again = PresentedRefreshToken::Parse(right);
  Require(again.has_value() && secrets.Made(*again), "what was made passes");
  return 0;
}
