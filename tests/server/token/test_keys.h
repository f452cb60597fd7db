#ifndef OSTIARY_TESTS_SERVER_TOKEN_TEST_KEYS_H_
#define OSTIARY_TESTS_SERVER_TOKEN_TEST_KEYS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/key/key_rows.h"
#include "server/key/key_view.h"
#include "server/token/access_token_minter.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {

// A view whose one key is active, without a store.
inline std::shared_ptr<const key::KeyView> ViewWithKeyOf(
    jwt::Algorithm algorithm) {
  const auto kek =
      ValueOf(key::KeyEncryptionKey::FromText(std::string(64, '7')));
  const auto signing_key = ValueOf(key::SigningKey::Generate(algorithm));
  storage::KeyRow row =
      ValueOf(key::NewKeyRow(kek, signing_key, absl::UnixEpoch()));
  row.state = std::string(key::kStateActive);
  return ValueOf(key::KeyView::Build({row}, {}, kek, key::Schedule()));
}

constexpr char kIssuer[] = "https://id.example";

inline token::AccessTokenMinter AMinter() {
  return ValueOf(token::AccessTokenMinter::Create({kIssuer}));
}

inline token::AccessTokenRequest ARequest() {
  token::AccessTokenRequest request;
  request.subject = "acct_0000000000000000000000000a";
  request.audiences = {"api"};
  request.client_id = "cli_default";
  request.session_id = "sess_0000000000000000000000000b";
  request.token_id = "jti-1";
  request.scope = "read write";
  request.roles = {"admin", "staff"};
  request.auth_time = absl::FromUnixSeconds(1'699'999'000);
  request.amr = {"pwd"};
  request.generation = (std::uint64_t{3} << 32) + 7;
  request.issue_time = absl::FromUnixMillis(1'700'000'000'999);
  request.expire_time = request.issue_time + absl::Minutes(15);
  return request;
}

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SERVER_TOKEN_TEST_KEYS_H_
