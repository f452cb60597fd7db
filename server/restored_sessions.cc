#include "server/restored_sessions.h"

#include <algorithm>
#include <optional>

#include "absl/functional/function_ref.h"
#include "server/account/events.h"
#include "server/base/ids.h"
#include "storage/fail_point.h"

namespace ostiary {
namespace {

// So that no single transaction is huge.
constexpr std::size_t kAccountsAtATime = 500;
// No account has more: --max-sessions-per-account is far below.
constexpr std::size_t kMostSessions = 100'000;

using storage::AccountRow;
using storage::SessionRow;
using Accounts = std::vector<AccountRow>;

// Gives `take` all accounts, page by page.
absl::Status ForEachPage(storage::Store& store,
                         absl::FunctionRef<absl::Status(Accounts&)> take) {
  storage::Key16 after{};
  for (;;) {
    auto page = storage::ReadValue<Accounts>(store, [&](storage::ReadTx& tx) {
      return tx.accounts().List(after, kAccountsAtATime);
    });
    if (!page.ok()) return page.status();
    if (page->empty()) return absl::OkStatus();
    after = page->back().account_id;
    if (auto taken = take(*page); !taken.ok()) return taken;
  }
}

SessionFate FateOf(const AccountRow& account, const SessionRow& session,
                   Fate fate) {
  return {
      fate,
      AccountId(account.account_id).ToString(),
      account.username.empty() ? account.email : account.username,
      SessionId(session.session_id).ToString(),
      session.client_id,
      session.user_agent,
      session.create_time,
      std::max({session.create_time, session.rotated_at, session.minted_at})};
}

bool Lives(const AccountRow& account, const SessionRow& session,
           absl::Time now) {
  return !account.disabled && !session.revoked() &&
         session.opened_generation >= account.session_floor &&
         session.idle_expire_time > now && session.expire_time > now;
}

// An account as the store before knew it.
struct Known {
  AccountRow account;
  std::vector<SessionRow> sessions;
};

// A session that outlived a password change was stamped with the generation
// that the change began; it must pass the floor that comes along.
absl::Status Restamp(storage::WriteTx& tx, const SessionRow& known,
                     SessionRow restored) {
  if (restored.opened_generation >= known.opened_generation)
    return absl::OkStatus();
  restored.opened_generation = known.opened_generation;
  return tx.sessions().UpdateIf(restored, restored.generation).status();
}

// What had ended of the account's is ended again.
absl::Status EndAgain(storage::WriteTx& tx, const Known& known, absl::Time now,
                      SessionFates& fates) {
  auto account = tx.accounts().Find(known.account.account_id);
  if (!account.ok()) return account.status();
  const AccountRow as_restored = account->value_or(AccountRow());
  for (const SessionRow& session : known.sessions) {
    auto found = tx.sessions().Find(session.session_id);
    if (!found.ok()) return found.status();
    const bool lived = Lives(known.account, session, now);
    if (!found->has_value() || !account->has_value()) {
      if (lived)
        fates.push_back(FateOf(known.account, session, Fate::kNotInBackup));
      continue;
    }
    const bool ended = session.revoked() ||
                       session.opened_generation < known.account.session_floor;
    if (!Lives(as_restored, **found, now)) continue;
    if (!ended) {
      auto stamped = Restamp(tx, session, **found);
      if (!stamped.ok()) return stamped;
      continue;
    }
    auto revoked = tx.sessions().Revoke(session.session_id, now);
    if (!revoked.ok()) return revoked.status();
    fates.push_back(FateOf(known.account, session, Fate::kEndedBefore));
  }
  if (!account->has_value() ||
      as_restored.session_floor >= known.account.session_floor) {
    return absl::OkStatus();
  }
  // Also for sessions that the store before has forgotten.
  AccountRow row = as_restored;
  row.generation = std::max(row.generation, known.account.generation);
  row.session_floor = known.account.session_floor;
  row.update_time = now;
  return tx.accounts().Update(row);
}

}  // namespace

absl::string_view FateName(Fate fate) {
  switch (fate) {
    case Fate::kKept:
      return "kept";
    case Fate::kEnded:
      return "ended";
    case Fate::kNotInBackup:
      return "not_in_backup";
    case Fate::kEndedBefore:
      return "ended_before";
  }
  return "";
}

bool MustSignInAgain(Fate fate) {
  return fate == Fate::kEnded || fate == Fate::kNotInBackup;
}

absl::Status EndWhatHadEnded(storage::Store& before, storage::Store& restored,
                             absl::Time now, SessionFates& fates) {
  return ForEachPage(before, [&](Accounts& page) -> absl::Status {
    std::vector<Known> known;
    for (AccountRow& account : page) {
      auto sessions = storage::ReadValue<std::vector<SessionRow>>(
          before, [&](storage::ReadTx& tx) {
            return tx.sessions().ListByAccount(account.account_id,
                                               kMostSessions);
          });
      if (!sessions.ok()) return sessions.status();
      known.push_back({std::move(account), *std::move(sessions)});
    }
    SessionFates of_page;
    const absl::Status written =
        restored.Write([&](storage::WriteTx& tx) -> absl::Status {
          of_page.clear();
          for (const Known& one : known) {
            auto ended = EndAgain(tx, one, now, of_page);
            if (!ended.ok()) return ended;
          }
          return absl::OkStatus();
        });
    if (!written.ok()) return written;
    fates.insert(fates.end(), of_page.begin(), of_page.end());
    return absl::OkStatus();
  });
}

absl::Status ListLivingSessions(storage::Store& restored, absl::Time now,
                                Fate fate, SessionFates& fates) {
  return ForEachPage(restored, [&](Accounts& page) {
    return restored.Read([&](storage::ReadTx& tx) -> absl::Status {
      for (const AccountRow& account : page) {
        if (account.disabled) continue;
        const auto living = tx.sessions().ListLive(
            account.account_id, account.session_floor, now, kMostSessions);
        if (!living.ok()) return living.status();
        for (const SessionRow& session : *living)
          fates.push_back(FateOf(account, session, fate));
      }
      return absl::OkStatus();
    });
  });
}

// Interrupted and run again it signs some out twice, which changes nothing.
absl::Status EndAllSessions(storage::Store& restored, absl::Time now) {
  return ForEachPage(restored, [&](Accounts& page) {
    const absl::Status ended =
        restored.Write([&](storage::WriteTx& tx) -> absl::Status {
          for (const AccountRow& account : page) {
            AccountRow row = account;
            account::Apply(account::Event::kSignedOutEverywhere, now, row);
            auto updated = tx.accounts().Update(row);
            if (!updated.ok()) return updated;
          }
          return absl::OkStatus();
        });
    Pass(storage::FailPoint::kRestoreSessions);
    return ended;
  });
}

}  // namespace ostiary
