// Accepts a good token and refuses it once its session has ended.
#include <iostream>

#include "ostiary/test_issuer.h"
#include "ostiary/verifier.h"

namespace {

std::string Describe(const ostiary::Verdict& verdict) {
  if (!verdict.accepted()) {
    return "refused: " + std::string(RefusalName(verdict.refusal()));
  }
  return "hello, " + verdict.claims().subject;
}

}  // namespace

int main() {
  ostiary::TestIssuer issuer;
  const auto verifier = issuer.MakeVerifier();
  const std::string token = issuer.Sign(
      {.subject = "acct_ada", .scopes = {"greet"}, .session_id = "sess_1"});

  const std::string before =
      Describe(verifier->Verify(token, {.scopes = {"greet"}}));
  issuer.RevokeSession("sess_1");
  const std::string after = Describe(verifier->Verify(token));

  std::cout << before << "\n" << after << "\n";
  return before == "hello, acct_ada" && after == "refused: TOKEN_REVOKED" ? 0
                                                                          : 1;
}
