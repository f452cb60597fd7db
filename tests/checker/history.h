#ifndef OSTIARY_TESTS_CHECKER_HISTORY_H_
#define OSTIARY_TESTS_CHECKER_HISTORY_H_

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/checker/operation.h"

namespace ostiary::checker {

// What stands for a secret in a history: the first 32 hex digits of its
// SHA-256. "" stays "".
std::string Fingerprint(absl::string_view secret);

// The ledger of what was asked of a server and what it said, kept outside it.
//
// Thread-safe.
class History {
 public:
  History() = default;
  explicit History(std::vector<Operation> operations);

  // Call Begin just before the operation, End with its answer just after it.
  // What is never ended stays unknown. Begin stamps `start`, End `end`, from
  // one counter: no two moments are the same.
  std::size_t Begin(Operation operation);
  void End(std::size_t begun, Operation answered);
  // The operation so far; for End to fill in.
  Operation At(std::size_t begun) const;
  // An observation, made between now and now.
  void Observe(Operation seen);

  // In the order in which they began.
  std::vector<Operation> operations() const;

  // JSON lines; the file is replaced.
  absl::Status WriteTo(const std::string& path) const;

 private:
  mutable std::mutex mutex_;
  std::int64_t now_ = 0;
  std::vector<Operation> operations_;
};

// kInvalidArgument names the line that is not one. Blank lines and lines that
// begin with '#' are passed over.
absl::StatusOr<std::vector<Operation>> ReadHistory(const std::string& path);

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_HISTORY_H_
