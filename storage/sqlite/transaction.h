#ifndef OSTIARY_STORAGE_SQLITE_TRANSACTION_H_
#define OSTIARY_STORAGE_SQLITE_TRANSACTION_H_

#include "storage/sqlite/accounts.h"
#include "storage/sqlite/audit.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/facts.h"
#include "storage/sqlite/keys.h"
#include "storage/sqlite/ledger.h"
#include "storage/sqlite/sessions.h"
#include "storage/sqlite/status_lists.h"
#include "storage/store.h"

namespace ostiary::storage::sqlite {

// All tables over one connection. When a transaction begins and ends is the
// business of who owns the connection: Readers or Writer.
template <typename Transaction>
class SqliteTables : public Transaction {
 public:
  explicit SqliteTables(Connection& connection)
      : accounts_(connection),
        sessions_(connection),
        ledger_(connection),
        status_lists_(connection),
        keys_(connection),
        audit_(connection),
        facts_(connection) {}

  SqliteAccounts& accounts() override { return accounts_; }
  SqliteSessions& sessions() override { return sessions_; }
  SqliteLedger& ledger() override { return ledger_; }
  SqliteStatusLists& status_lists() override { return status_lists_; }
  SqliteKeys& keys() override { return keys_; }
  SqliteAudit& audit() override { return audit_; }
  SqliteFacts& facts() override { return facts_; }

 private:
  SqliteAccounts accounts_;
  SqliteSessions sessions_;
  SqliteLedger ledger_;
  SqliteStatusLists status_lists_;
  SqliteKeys keys_;
  SqliteAudit audit_;
  SqliteFacts facts_;
};

using SqliteReadTx = SqliteTables<ReadTx>;
using SqliteWriteTx = SqliteTables<WriteTx>;

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_TRANSACTION_H_
