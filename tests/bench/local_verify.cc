// What checking a token costs in a service's own process, with the C++ SDK,
// beside the signature alone. Prints one line of JSON; times are nanoseconds of
// CPU a check.

#include <openssl/sha.h>
#include <time.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "client/jwt/key_set.h"
#include "client/jwt/token.h"
#include "ostiary/test_issuer.h"
#include "ostiary/verifier.h"
#include "tests/bench/measure.h"

namespace ostiary::bench {
namespace {

double CpuNanos() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 +
         static_cast<double>(now.tv_nsec);
}

// CPU time of one call, over `count` calls.
double Cost(int count, const std::function<void(int)>& call) {
  const double began = CpuNanos();
  for (int i = 0; i < count; ++i) call(i);
  return (CpuNanos() - began) / count;
}

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "local_verify: %s\n", what);
  std::exit(1);
}

std::vector<std::string> Sign(const TestIssuer& issuer, int count) {
  std::vector<std::string> tokens;
  tokens.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    tokens.push_back(issuer.Sign({.subject = absl::StrCat("acct_", i),
                                  .session_id = absl::StrCat("sess_", i)}));
  }
  return tokens;
}

std::unique_ptr<Verifier> MakeVerifier(const TestIssuer& issuer,
                                       std::size_t cache_size) {
  VerifierOptions options;
  options.issuer = issuer.issuer();
  options.cache_size = cache_size;
  auto verifier = issuer.TryMakeVerifier(options);
  if (!verifier.ok()) Fail("no verifier");
  return *std::move(verifier);
}

void Check(const Verifier& verifier, const std::string& token) {
  if (!verifier.Verify(token).accepted()) Fail("a good token is refused");
}

// The signature, by OpenSSL, with a key and a context made once.
class RawSignature {
 public:
  RawSignature(const std::string& jwks, const std::string& token)
      : keys_(*jwt::KeySet::Parse(jwks)), raw_(*jwt::RawToken::Parse(token)) {}

  void Verify() const {
    const jwt::VerifyingKey& key = keys_.keys().front();
    if (!key.Verifies(raw_.signing_input(), raw_.signature()))
      Fail("the signature is not good");
  }

 private:
  const jwt::KeySet keys_;
  const jwt::RawToken raw_;
};

double Hash(const std::vector<std::string>& tokens) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  return Cost(200000, [&](int i) {
    const std::string& text =
        tokens[static_cast<std::size_t>(i) % tokens.size()];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           digest);
  });
}

double Warm(const TestIssuer& issuer, const std::vector<std::string>& tokens) {
  // Shards fill unevenly; nothing shall fall out.
  const auto verifier = MakeVerifier(issuer, tokens.size() * 3 / 2);
  for (const std::string& token : tokens) Check(*verifier, token);
  // In an order that no prefetcher knows.
  return Cost(400000, [&](int i) {
    const std::size_t place = static_cast<std::size_t>(i) * 2654435761U;
    Check(*verifier, tokens[place % tokens.size()]);
  });
}

int Main(int argc, char** argv) {
  int rounds = 5;
  CLI::App app("Measures local verification.");
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);

  const TestIssuer issuer;
  const std::vector<std::string> many = Sign(issuer, 100000);
  const std::vector<std::string> few(many.begin(), many.begin() + 1000);
  const RawSignature raw(issuer.JwksJson(), many.front());
  const auto uncached = MakeVerifier(issuer, 0);
  std::vector<double> raws, colds, cold_over_raw, hashes, warm_few, warm_many;
  for (int i = 0; i < rounds; ++i) {
    raws.push_back(Cost(2000, [&](int) { raw.Verify(); }));
    colds.push_back(Cost(2000, [&](int k) {
      Check(*uncached, few[static_cast<std::size_t>(k) % few.size()]);
    }));
    cold_over_raw.push_back(colds.back() - raws.back());
    hashes.push_back(Hash(few));
    warm_few.push_back(Warm(issuer, few));
    warm_many.push_back(Warm(issuer, many));
  }
  const double raw_ns = Percentile(raws, 0.5);  // sorts them
  const double raw_spread = raws.back() / raws.front();
  std::printf(
      "{\"raw_ns\": %.0f, \"cold_ns\": %.0f, \"cold_minus_raw_ns\": %.0f, "
      "\"hash_ns\": %.0f, \"warm_1000_ns\": %.0f, \"warm_100000_ns\": %.0f, "
      "\"raw_spread\": %.3f, \"token_bytes\": %zu}\n",
      raw_ns, Percentile(colds, 0.5), Percentile(cold_over_raw, 0.5),
      Percentile(hashes, 0.5), Percentile(warm_few, 0.5),
      Percentile(warm_many, 0.5), raw_spread, many.front().size());
  return 0;
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
