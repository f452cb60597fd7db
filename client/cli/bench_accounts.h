#ifndef OSTIARY_CLIENT_CLI_BENCH_ACCOUNTS_H_
#define OSTIARY_CLIENT_CLI_BENCH_ACCOUNTS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/invocation.h"
#include "client/cli/secret_text.h"

namespace ostiary::cli {

// Who signs in: one account, or many in turn.
class BenchAccounts {
 public:
  struct One {
    std::string identifier;
    SecretText password;
  };
  explicit BenchAccounts(std::vector<One> all) : all_(std::move(all)) {}

  const One& Next() { return all_[next_++ % all_.size()]; }
  std::size_t size() const { return all_.size(); }

 private:
  std::vector<One> all_;  // never empty
  std::size_t next_ = 0;
};

struct BenchAccountFlags {
  std::string identifier;
  bool password_stdin = false;
  std::string accounts;
};

// The account named, with its password from the terminal or stdin; or those of
// a file of lines {"identifier": "...", "password": "..."}. Usage errors if
// both or neither is given, and for a line that is something else: told by its
// number, never by what it holds.
absl::StatusOr<std::shared_ptr<BenchAccounts>> ReadBenchAccounts(
    const BenchAccountFlags& flags, Surroundings& surroundings);

// The lines of a file of at most 1 MiB that are not empty; a usage error naming
// `option` if there is none.
absl::StatusOr<std::vector<std::string>> ReadLines(absl::string_view option,
                                                   const std::string& path);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_BENCH_ACCOUNTS_H_
