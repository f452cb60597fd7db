#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "client/jwt/claims_reader.h"

// Payloads reach this reader before any signature was checked.

namespace {

void Require(bool held, const char* rule) {
  if (held) return;
  std::cerr << "broken: " << rule << std::endl;
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace ostiary::jwt;  // NOLINT: one file, one subject
  if (size > kMaxTokenBytes) return 0;
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto read = ReadPayload(input);
  if (!read.has_value()) return 0;

  const Claims& claims = read->claims;
  boost::json::error_code error;
  const auto extra = boost::json::parse(claims.extra_json, error);
  Require(!error && extra.is_object(), "extra claims are a JSON object");
  Require(!extra.get_object().contains("sub"), "and repeat no named claim");
  if (!read->complete) return 0;
  Require(!claims.issuer.empty() && !claims.subject.empty() &&
              !claims.audiences.empty() && !claims.client_id.empty() &&
              !claims.token_id.empty(),
          "complete means that nothing is empty");
  Require(claims.issue_time >= absl::UnixEpoch() &&
              claims.expire_time <= absl::FromUnixSeconds(253402300799),
          "dates are in range");
  return 0;
}
