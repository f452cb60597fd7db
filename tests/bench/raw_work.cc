// The work that nobody who signs in or signs a token can be spared, by the
// libraries themselves: an argon2id hash by libsodium on so many threads at the
// priority that the server gives its own, or an ES256 signature by OpenSSL with
// a key and a context made once.
//
//   raw_work hash --threads 2 --seconds 3 --memory-kib 19456 --iterations 2
//   raw_work sign
//
// Prints one line of JSON.

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace ostiary::bench {
namespace {

struct Plan {
  unsigned threads = std::thread::hardware_concurrency();
  double seconds = 3;
  std::size_t memory_kib = 19456;
  unsigned iterations = 2;
};

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / 1e9;
}

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "raw_work: %s\n", what);
  std::exit(1);
}

// Checks one password until time is up; how often.
long HashUntil(absl::Time end, const std::string& stored) {
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
  const std::string password = "of many a round";
  long done = 0;
  for (; absl::Now() < end; ++done) {
    if (crypto_pwhash_str_verify(stored.c_str(), password.data(),
                                 password.size()) != 0)
      Fail("the password is not good");
  }
  return done;
}

int Hash(const Plan& plan) {
  if (sodium_init() < 0) Fail("no libsodium");
  const std::string password = "of many a round";
  char stored[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(stored, password.data(), password.size(),
                            plan.iterations, plan.memory_kib * 1024,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    Fail("no memory");
  const double cpu = CpuSeconds();
  const absl::Time began = absl::Now();
  std::atomic<long> done{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < plan.threads; ++i) {
    threads.emplace_back([&] {
      done += HashUntil(began + absl::Seconds(plan.seconds), stored);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto count = static_cast<double>(done.load());
  std::printf("{\"hashes\": %.0f, \"per_second\": %.3f, \"cpu_ms\": %.4f}\n",
              count, count / absl::ToDoubleSeconds(absl::Now() - began),
              (CpuSeconds() - cpu) * 1e3 / count);
  return 0;
}

// 600 bytes, as a token's first two parts have.
int Sign() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  if (EVP_PKEY_sign_init(context) != 1) Fail("no signature");
  const std::string message(600, 'm');
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned char signature[128];
  const auto sign = [&] {
    SHA256(reinterpret_cast<const unsigned char*>(message.data()),
           message.size(), digest);
    std::size_t size = sizeof(signature);
    if (EVP_PKEY_sign(context, signature, &size, digest, sizeof(digest)) != 1)
      Fail("no signature");
  };
  constexpr int kSignatures = 4000;
  for (int i = 0; i < kSignatures / 10; ++i) sign();
  const double cpu = CpuSeconds();
  for (int i = 0; i < kSignatures; ++i) sign();
  std::printf("{\"cpu_us\": %.3f}\n", (CpuSeconds() - cpu) * 1e6 / kSignatures);
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  return 0;
}

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("Does the work of the libraries and nothing else.");
  CLI::App* hash = app.add_subcommand("hash", "argon2id");
  hash->add_option("--threads", plan.threads)->check(CLI::Range(1, 256));
  hash->add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 60.0));
  hash->add_option("--memory-kib", plan.memory_kib);
  hash->add_option("--iterations", plan.iterations);
  app.add_subcommand("sign", "ES256");
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  return *hash ? Hash(plan) : Sign();
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }
