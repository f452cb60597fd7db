#ifndef OSTIARY_SERVER_FLOW_NEW_ACCOUNT_H_
#define OSTIARY_SERVER_FLOW_NEW_ACCOUNT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/random.h"
#include "storage/store.h"

namespace ostiary::flow {

// What an account is to be, as it came in.
struct AccountDraft {
  std::string username;
  std::string email;
  bool email_verified = false;
  std::string display_name;
  std::vector<std::string> roles;
};

// Checks every field and fills in everything but the id, the password and the
// times. All that is wrong is reported at once.
absl::StatusOr<storage::AccountRow> DraftRow(const AccountDraft& draft);

// Inserts the row under a new id. kIdentifierTaken without saying which.
absl::Status InsertAccount(storage::WriteTx& tx, Random& random, absl::Time now,
                           storage::AccountRow& row);

// The store's "already exists" as the caller may see it.
absl::Status MaskDuplicate(absl::Status status);

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_NEW_ACCOUNT_H_
