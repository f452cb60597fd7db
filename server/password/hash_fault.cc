#include "server/password/hash_fault.h"

namespace ostiary::password {

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

absl::Status Unsupported(absl::string_view what) {
  return absl::UnimplementedError(what);
}

absl::Status TooCostly(absl::string_view what) {
  return absl::OutOfRangeError(what);
}

absl::string_view FaultName(const absl::Status& fault) {
  if (fault.code() == absl::StatusCode::kUnimplemented) {
    return "FORMAT_UNSUPPORTED";
  }
  if (fault.code() == absl::StatusCode::kOutOfRange) return "COST_TOO_HIGH";
  return "FORMAT_MALFORMED";
}

}  // namespace ostiary::password
