#ifndef OSTIARY_SERVER_PASSWORD_HASH_FAULT_H_
#define OSTIARY_SERVER_PASSWORD_HASH_FAULT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ostiary::password {

// Why a stored hash cannot be used. The code of the status says which, so that
// nobody reads the sentence:
//   kInvalidArgument  FORMAT_MALFORMED    begins like a known format, and is
//                                         not one
//   kUnimplemented    FORMAT_UNSUPPORTED  no format we know
//   kOutOfRange       COST_TOO_HIGH       would take more memory or time than
//                                         we give one password
absl::Status Malformed(absl::string_view what);
absl::Status Unsupported(absl::string_view what);
absl::Status TooCostly(absl::string_view what);

// "FORMAT_MALFORMED" and so on; what `ostiary hash verify` prints.
absl::string_view FaultName(const absl::Status& fault);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_HASH_FAULT_H_
