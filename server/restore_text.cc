#include "server/restore_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <set>

#include "absl/strings/str_cat.h"

namespace ostiary {
namespace {

namespace json = boost::json;

json::string_view View(absl::string_view text) {
  return json::string_view(text.data(), text.size());
}

std::string Say(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

struct Count {
  std::size_t sessions = 0;
  std::size_t accounts = 0;
};

template <typename Wanted>
Count CountOf(const SessionFates& fates, Wanted wanted) {
  std::set<std::string> accounts;
  Count count;
  for (const SessionFate& one : fates) {
    if (!wanted(one.fate)) continue;
    ++count.sessions;
    accounts.insert(one.account_id);
  }
  count.accounts = accounts.size();
  return count;
}

Count CountOf(const SessionFates& fates, Fate fate) {
  return CountOf(fates, [fate](Fate one) { return one == fate; });
}

std::string Say(const Count& count) {
  return absl::StrCat(
      count.sessions, count.sessions == 1 ? " session of " : " sessions of ",
      count.accounts, count.accounts == 1 ? " account" : " accounts");
}

json::object ToJson(const SessionFate& one) {
  json::object object;
  object["account_id"] = one.account_id;
  object["username"] = one.username;
  object["session_id"] = one.session_id;
  object["client_id"] = one.client_id;
  object["user_agent"] = one.user_agent;
  object["sign_in_time"] = Say(one.sign_in_time);
  object["last_use"] = Say(one.last_use);
  object["fate"] = View(FateName(one.fate));
  object["must_sign_in_again"] = MustSignInAgain(one.fate);
  return object;
}

json::object Counts(const SessionFates& fates) {
  json::object object;
  for (const Fate fate :
       {Fate::kKept, Fate::kEnded, Fate::kNotInBackup, Fate::kEndedBefore}) {
    object[View(FateName(fate))] = CountOf(fates, fate).sessions;
  }
  const Count must = CountOf(fates, MustSignInAgain);
  object["must_sign_in_again"] = must.sessions;
  object["accounts_that_must_sign_in_again"] = must.accounts;
  return object;
}

std::string AboutTheOneBefore(const RestoreReport& report) {
  if (report.from.empty() || report.set_aside.empty()) return "";
  std::string text =
      absl::StrCat("The store that was there is now ", report.set_aside, ".\n");
  if (!report.asked_the_one_before) {
    absl::StrAppend(&text,
                    "It could not be read, so what was done since the backup "
                    "is not known: ",
                    report.why_not_asked, "\n");
  }
  return text;
}

std::string AboutSessions(const RestoreReport& report) {
  const Count must = CountOf(report.sessions, MustSignInAgain);
  const Count kept = CountOf(report.sessions, Fate::kKept);
  const Count before = CountOf(report.sessions, Fate::kEndedBefore);
  std::string text = absl::StrCat(Say(must), " must sign in again.\n");
  if (report.choice == RestoredSessions::kKeep) {
    absl::StrAppend(&text, Say(kept),
                    " were kept: their next refresh gives new tokens.\n");
  }
  if (before.sessions > 0) {
    absl::StrAppend(&text, Say(before),
                    " had ended since the backup and stay ended.\n");
  }
  if (report.asked_the_one_before) return text;
  absl::StrAppend(&text,
                  "Whoever signed in after the backup was made must sign in "
                  "again too; they are not known here.\n");
  if (report.choice == RestoredSessions::kKeep) {
    absl::StrAppend(&text,
                    "Sessions that were ended after it live again: end them, "
                    "or use --sessions=end.\n");
  }
  return text;
}

}  // namespace

std::string RestoreText(const RestoreReport& report) {
  std::string text = "Restored";
  if (report.imported.has_value()) {
    absl::StrAppend(&text, " from ", report.from, " (SHA-256 ",
                    report.imported->sha256, ")");
  }
  absl::StrAppend(&text, ". The ledger begins epoch ", report.epoch,
                  " at sequence ", report.sequence, ".\n",
                  AboutTheOneBefore(report),
                  "Every access token issued before now is refused.\n",
                  AboutSessions(report),
                  "Accounts, passwords and roles are as they were then.\n");
  if (report.clock_was_at != absl::InfinitePast()) {
    absl::StrAppend(&text, "The machine's clock had been ahead, at ",
                    Say(report.clock_was_at),
                    ". Tokens issued then would come into force at that time, "
                    "so every signing key is revoked (",
                    report.revoked_keys,
                    " of them): the next start makes a new one.\n");
  }
  if (!report.sessions.empty())
    absl::StrAppend(&text, "--report=FILE or --output=json lists sessions.\n");
  return text;
}

std::string RestoreJson(const RestoreReport& report) {
  json::object object;
  object["epoch"] = report.epoch;
  object["sequence"] = report.sequence;
  object["sessions_were"] =
      report.choice == RestoredSessions::kEnd ? "ended" : "kept";
  if (report.imported.has_value()) {
    object["from"] = report.from;
    object["sha256"] = report.imported->sha256;
    object["size_bytes"] = report.imported->size_bytes;
    object["schema_version"] = report.imported->schema_version;
    object["set_aside"] = report.set_aside;
  }
  if (report.clock_was_at != absl::InfinitePast()) {
    object["clock_was_at"] = Say(report.clock_was_at);
    object["revoked_keys"] = report.revoked_keys;
  }
  object["asked_the_one_before"] = report.asked_the_one_before;
  object["counts"] = Counts(report.sessions);
  json::array& sessions = object["sessions"].emplace_array();
  for (const SessionFate& one : report.sessions)
    sessions.push_back(ToJson(one));
  return absl::StrCat(json::serialize(object), "\n");
}

absl::Status WriteRestoreReport(const RestoreReport& report,
                                const std::string& path) {
  const auto failed = [&path](const char* what) {
    return absl::UnavailableError(
        absl::StrCat("cannot ", what, " '", path, "': ", std::strerror(errno)));
  };
  const int file = open(
      path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed("make");
  const std::string text = RestoreJson(report);
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count =
        write(file, text.data() + written, text.size() - written);
    if (count < 0) break;
    written += static_cast<std::size_t>(count);
  }
  const bool whole = written == text.size() && fsync(file) == 0;
  const absl::Status status = whole ? absl::OkStatus() : failed("write");
  close(file);
  return status;
}

}  // namespace ostiary
