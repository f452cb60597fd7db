#ifndef OSTIARY_TESTS_SERVER_KEY_MEMORY_STORE_H_
#define OSTIARY_TESTS_SERVER_KEY_MEMORY_STORE_H_

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "storage/store.h"

namespace ostiary::testing {

// The tables that keys need, in memory: can be copied like a backup, and its
// commits fail on demand. Every other table ends the test.
class MemoryStore final : public storage::Store {
 public:
  struct Content {
    std::vector<storage::KeyRow> keys;
    std::vector<storage::LedgerRow> ledger;
    std::vector<storage::AuditRow> audit;
  };

  absl::Status Read(ReadFn fn) override {
    absl::MutexLock lock(&mutex_);
    Transaction tx(content_);
    return fn(tx.reader);
  }

  absl::Status Write(WriteFn fn) override {
    absl::MutexLock lock(&mutex_);
    ++writes_;
    if (before_write_) before_write_();
    // Twice: bodies must not care.
    Transaction rehearsal(content_);
    if (auto s = fn(rehearsal.writer); !s.ok()) return s;
    Transaction tx(content_);
    if (auto s = fn(tx.writer); !s.ok()) return s;
    const absl::Status fault = std::exchange(fault_, absl::OkStatus());
    if (fault.ok() || absl::IsUnknown(fault)) content_ = tx.content;
    if (after_commit_) after_commit_();
    return fault;
  }

  absl::Status Ping() override { return absl::OkStatus(); }

  // What the next commit answers. kUnknown: it happened all the same.
  void FailNextCommit(absl::Status fault) {
    absl::MutexLock lock(&mutex_);
    fault_ = std::move(fault);
  }
  // Runs when a writer's turn has come.
  void BeforeWrites(std::function<void()> hook) {
    absl::MutexLock lock(&mutex_);
    before_write_ = std::move(hook);
  }
  // Runs when a commit is durable and its writer does not know it yet.
  void AfterCommits(std::function<void()> hook) {
    absl::MutexLock lock(&mutex_);
    after_commit_ = std::move(hook);
  }
  Content content() const {
    absl::MutexLock lock(&mutex_);
    return content_;
  }
  void Restore(Content content) {
    absl::MutexLock lock(&mutex_);
    content_ = std::move(content);
  }
  int writes() const {
    absl::MutexLock lock(&mutex_);
    return writes_;
  }

 private:
  class Keys final : public storage::KeyTable {
   public:
    explicit Keys(std::vector<storage::KeyRow>& rows) : rows_(rows) {}
    absl::StatusOr<std::vector<storage::KeyRow>> ListAll() const override {
      return rows_;
    }
    absl::StatusOr<std::vector<storage::KeyRow>> List(
        absl::string_view purpose) const override {
      std::vector<storage::KeyRow> found;
      for (const auto& row : rows_) {
        if (row.purpose == purpose) found.push_back(row);
      }
      return found;
    }
    absl::StatusOr<std::optional<storage::KeyRow>> Find(
        absl::string_view key_id) const override {
      for (const auto& row : rows_) {
        if (row.key_id == key_id) return std::optional(row);
      }
      return std::optional<storage::KeyRow>();
    }
    absl::Status Insert(const storage::KeyRow& row) override {
      if ((*Find(row.key_id)).has_value()) {
        return absl::AlreadyExistsError("key_id");
      }
      rows_.push_back(row);
      return absl::OkStatus();
    }
    absl::Status Update(const storage::KeyRow& row) override {
      for (auto& known : rows_) {
        if (known.key_id != row.key_id) continue;
        known = row;
        return absl::OkStatus();
      }
      return absl::NotFoundError("key_id");
    }
    absl::StatusOr<bool> Delete(absl::string_view key_id) override {
      const auto end =
          std::remove_if(rows_.begin(), rows_.end(),
                         [&](const auto& row) { return row.key_id == key_id; });
      const bool found = end != rows_.end();
      rows_.erase(end, rows_.end());
      return found;
    }

   private:
    std::vector<storage::KeyRow>& rows_;
  };

  class Ledger final : public storage::LedgerTable {
   public:
    explicit Ledger(std::vector<storage::LedgerRow>& rows) : rows_(rows) {}
    absl::StatusOr<storage::LedgerHead> Head() const override {
      storage::LedgerHead head;
      head.sequence = static_cast<std::int64_t>(rows_.size());
      return head;
    }
    absl::StatusOr<std::vector<storage::LedgerRow>> After(
        std::int64_t, std::size_t) const override {
      std::abort();
    }
    absl::StatusOr<std::optional<storage::LedgerRow>> FindNewest(
        storage::LedgerKind kind, absl::string_view key) const override {
      for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
        if (row->kind == kind && row->key == key) return std::optional(*row);
      }
      return std::optional<storage::LedgerRow>();
    }
    absl::StatusOr<storage::LedgerRow> Append(storage::LedgerRow row) override {
      row.sequence = static_cast<std::int64_t>(rows_.size()) + 1;
      rows_.push_back(row);
      return row;
    }
    absl::StatusOr<std::int64_t> DeleteExpired(absl::Time,
                                               std::size_t) override {
      std::abort();
    }
    absl::Status BeginEpoch(std::uint32_t, std::int64_t) override {
      std::abort();
    }

   private:
    std::vector<storage::LedgerRow>& rows_;
  };

  class Audit final : public storage::AuditTable {
   public:
    explicit Audit(std::vector<storage::AuditRow>& rows) : rows_(rows) {}
    absl::StatusOr<std::vector<storage::AuditRow>> After(
        std::int64_t, std::size_t) const override {
      return rows_;
    }
    absl::Status Append(const storage::AuditRow& row) override {
      rows_.push_back(row);
      return absl::OkStatus();
    }
    absl::StatusOr<std::int64_t> DeleteBefore(absl::Time,
                                              std::size_t) override {
      std::abort();
    }

   private:
    std::vector<storage::AuditRow>& rows_;
  };

  struct Transaction;
  struct Reader final : storage::ReadTx {
    explicit Reader(Transaction& owner) : tx(owner) {}
    const storage::AccountReader& accounts() override { std::abort(); }
    const storage::SessionReader& sessions() override { std::abort(); }
    const storage::LedgerReader& ledger() override { return tx.ledger; }
    const storage::StatusListReader& status_lists() override { std::abort(); }
    const storage::KeyReader& keys() override { return tx.keys; }
    const storage::AuditReader& audit() override { return tx.audit; }
    const storage::FactReader& facts() override { std::abort(); }
    Transaction& tx;
  };
  struct Writer final : storage::WriteTx {
    explicit Writer(Transaction& owner) : tx(owner) {}
    storage::AccountTable& accounts() override { std::abort(); }
    storage::SessionTable& sessions() override { std::abort(); }
    storage::LedgerTable& ledger() override { return tx.ledger; }
    storage::StatusListTable& status_lists() override { std::abort(); }
    storage::KeyTable& keys() override { return tx.keys; }
    storage::AuditTable& audit() override { return tx.audit; }
    storage::FactTable& facts() override { std::abort(); }
    Transaction& tx;
  };
  struct Transaction {
    explicit Transaction(Content copy) : content(std::move(copy)) {}
    Content content;
    Keys keys{content.keys};
    Ledger ledger{content.ledger};
    Audit audit{content.audit};
    Reader reader{*this};
    Writer writer{*this};
  };

  mutable absl::Mutex mutex_;
  Content content_;
  absl::Status fault_;
  std::function<void()> before_write_;
  std::function<void()> after_commit_;
  int writes_ = 0;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SERVER_KEY_MEMORY_STORE_H_
