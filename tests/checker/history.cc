#include "tests/checker/history.h"

#include <openssl/sha.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ostiary::checker {
namespace {

constexpr std::size_t kFingerprintBytes = 16;

void SortByStart(std::vector<Operation>& operations) {
  std::stable_sort(
      operations.begin(), operations.end(),
      [](const Operation& a, const Operation& b) { return a.start < b.start; });
}

}  // namespace

std::string Fingerprint(absl::string_view secret) {
  if (secret.empty()) return "";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
         digest);
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(digest), kFingerprintBytes));
}

History::History(std::vector<Operation> operations)
    : operations_(std::move(operations)) {
  for (const Operation& operation : operations_) {
    now_ = std::max(now_, operation.start);
    if (operation.end != kNever) now_ = std::max(now_, operation.end);
  }
}

std::size_t History::Begin(Operation operation) {
  const std::lock_guard<std::mutex> lock(mutex_);
  operation.id = static_cast<std::int64_t>(operations_.size());
  operation.start = ++now_;
  operation.end = kNever;
  operation.outcome = Outcome::kUnknown;
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void History::End(std::size_t begun, Operation answered) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Operation& operation = operations_[begun];
  answered.id = operation.id;
  answered.start = operation.start;
  answered.end = ++now_;
  operation = std::move(answered);
}

Operation History::At(std::size_t begun) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return operations_[begun];
}

void History::Observe(Operation seen) {
  seen.outcome = Outcome::kOk;
  End(Begin(seen), seen);
}

std::vector<Operation> History::operations() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Operation> sorted = operations_;
  SortByStart(sorted);
  return sorted;
}

absl::Status History::WriteTo(const std::string& path) const {
  std::ofstream file(path, std::ios::trunc);
  for (const Operation& operation : operations()) {
    file << ToJsonLine(operation) << "\n";
  }
  file.close();
  if (!file) return absl::UnavailableError("cannot write " + path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Operation>> ReadHistory(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError("cannot read " + path);
  std::vector<Operation> operations;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    auto operation = FromJsonLine(line);
    if (!operation.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": ", operation.status().message()));
    }
    // Who wrote no id finds the operation by its line.
    if (operation->id == 0) operation->id = number;
    operations.push_back(*std::move(operation));
  }
  SortByStart(operations);
  return operations;
}

}  // namespace ostiary::checker
