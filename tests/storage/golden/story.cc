// Lives through everything that a store can hold, and writes it down:
//   storage_golden_story DATABASE on|off      (status lists)
// What people hold in their hands at the end goes to stdout, "name = value".
#include <sqlite3.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/revocation/entries.h"
#include "server/revocation/past_epochs.h"
#include "server/status_list/sweep.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

// From tests/vectors/passwords/hashes.json, p-005: imported as it is.
constexpr char kImportedHash[] =
    "$2b$04$JTlMi8jcdRhxBXXw3.6arOlSTv/53PezaKz2Q.ZfBshKciu5vY8hC";
constexpr char kImportedPassword[] = "correct horse battery staple";
constexpr char kRequestId[] = "0123456789abcdef-golden";

void Note(const std::string& name, const std::string& value) {
  std::cout << name << " = " << value << "\n";
}

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::exit(1);
}
template <typename T>
void Must(const absl::StatusOr<T>& result) {
  Must(result.status());
}

class Story {
 public:
  explicit Story(status_list::Issuing lists) : lists_(lists) {}

  void Live() {
    ARestore();
    KeysComeAndGo();
    Ada();
    PeopleWhoseSessionsEnded();
    PeopleWhosePasswordsChanged();
    PeopleWhoAreOut();
    AnImportedHash();
    ALostAnswer();
    SomebodyOnTheMove();
    Must(house_->revoke.Client(operator_, "cli_gone", "closed"));
    Note("now", absl::StrCat(absl::ToUnixMicros(house_.clock.Now())));
  }

  void WriteTo(const std::string& path) {
    sqlite3* database = nullptr;
    const std::string source = house_.dir.File("store.db");
    bool ok = sqlite3_open(source.c_str(), &database) == SQLITE_OK;
    char* sql = sqlite3_mprintf("VACUUM INTO %Q", path.c_str());
    ok = ok && sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == 0;
    sqlite3_free(sql);
    sqlite3_close(database);
    Must(ok ? absl::OkStatus() : absl::InternalError("cannot be written"));
  }

 private:
  bool with_lists() const { return lists_ == status_list::Issuing::kOn; }
  void LetTimePass() { house_.clock.Advance(absl::Seconds(7)); }

  flow::IssuedTokens SignUpAndIn(const std::string& name) {
    LetTimePass();
    house_.SignUp(name);
    return house_.SignIn(name);
  }
  std::string IdOf(const flow::IssuedTokens& tokens) {
    return house_.As(tokens).account_id->ToString();
  }
  std::string KeyThatIs(absl::string_view state) {
    using Rows = std::vector<storage::KeyRow>;
    const Rows rows = ValueOf(storage::ReadValue<Rows>(
        *house_->store,
        [](storage::ReadTx& tx) { return tx.keys().List("access"); }));
    for (const storage::KeyRow& row : rows)
      if (row.state == state) return row.key_id;
    Must(absl::NotFoundError("no key in this state"));
    return "";
  }

  // As server/restore.cc does it, with --sessions=keep.
  void ARestore() {
    const auto tokens = SignUpAndIn("from_before");
    Must(house_.Write([&](storage::WriteTx& tx) -> absl::Status {
      auto head = tx.ledger().Head();
      if (!head.ok()) return head.status();
      if (auto s = revocation::RecordPastEpoch(tx, *head); !s.ok()) return s;
      if (auto s = tx.ledger().BeginEpoch(2, head->sequence + 10); !s.ok())
        return s;
      auto row = tx.ledger().Append(revocation::AllEntry(
          house_.clock.Now(), absl::Hours(24), "restored"));
      if (!row.ok() || !with_lists()) return row.status();
      if (auto s = tx.status_lists().InvalidateAll(); !s.ok()) return s;
      return status_list::Sweep::RememberSwept(tx, row->sequence);
    }));
    house_.Restart(absl::Seconds(7));
    Note("ended.access.all_before_the_restore", tokens.access_token);
    Note("live.refresh.kept_by_the_restore", tokens.refresh_token);
  }

  void KeysComeAndGo() {
    const auto retired = SignUpAndIn("signed_by_a_retired_key");
    Note("key.retired", KeyThatIs("active"));
    const storage::AuditRow audit =
        operator_.Did("", "", house_.clock.Now()).Row();
    Must(house_->keys->Activate(KeyThatIs("prepared"), key::Lead::kWaived,
                                audit));
    Note("live.access.retired_key", retired.access_token);
    const auto revoked = SignUpAndIn("signed_by_a_revoked_key");
    Note("key.revoked", KeyThatIs("active"));
    Must(house_->keys->Revoke(KeyThatIs("active"), "lost", audit));
    Note("ended.access.revoked_key", revoked.access_token);
    Note("live.refresh.revoked_key", revoked.refresh_token);
  }

  // Everything an account can have.
  void Ada() {
    LetTimePass();
    Must(house_->accounts.Create(
        operator_,
        {"Ada", "Ada.Lovelace@example.com", true, "Ada Lovelace", {"editor"}},
        flow::Credential(SecretBytes(kPassword))));
    auto first = house_.SignIn("ada", kPassword, "read write");
    const std::string id = IdOf(first);
    flow::ProfileChange change;
    change.metadata_json = R"({"team":"engines","since":1833})";
    Must(house_->accounts.Update(operator_, id, change));
    LetTimePass();
    const auto second = house_.Refresh(first.refresh_token);
    LetTimePass();
    const auto third = house_.Refresh(second.refresh_token);
    Note("live.access.before_a_refresh", first.access_token);
    Note("live.access.ada", third.access_token);
    Note("live.refresh.ada", third.refresh_token);
    Note("live.password.ada.lovelace@example.com", kPassword);

    auto role = house_.SignIn("ada");
    Must(house_->accounts.GrantRole(operator_, id, "reader"));
    auto with_role = house_.SignIn("ada");
    Note("live.access.role_granted", role.access_token);
    Note("live.access.with_the_role", with_role.access_token);
    const auto other = SignUpAndIn("lost_a_role");
    Must(house_->accounts.GrantRole(operator_, IdOf(other), "reader"));
    const auto had = house_.SignIn("lost_a_role");
    Must(house_->accounts.RevokeRole(operator_, IdOf(other), "reader"));
    Note("ended.access.role_taken", had.access_token);
    Note("live.refresh.role_taken", had.refresh_token);
  }

  void PeopleWhoseSessionsEnded() {
    const auto out = SignUpAndIn("signed_out");
    Must(house_->sign_out.Run(House::Anyone(), out.refresh_token));
    Note("ended.access.signed_out", out.access_token);
    Note("ended.refresh.signed_out", out.refresh_token);
    Note("live.password.signed_out", kPassword);

    const auto everywhere = SignUpAndIn("out_everywhere");
    Must(house_->manage_sessions.RevokeAll(operator_, IdOf(everywhere), ""));
    Note("ended.access.out_everywhere", everywhere.access_token);
    Note("ended.refresh.out_everywhere", everywhere.refresh_token);

    const auto token = SignUpAndIn("revoked_token");
    Must(house_->revoke.Token(House::Anyone(), token.access_token, "leaked"));
    Note("ended.access.revoked_token", token.access_token);
    Note("live.refresh.revoked_token", token.refresh_token);

    const auto stolen = SignUpAndIn("stolen_from");
    auto newest = house_.Refresh(stolen.refresh_token);
    newest = house_.Refresh(newest.refresh_token);
    if (house_.TryRefresh(stolen.refresh_token).ok()) std::exit(1);
    Note("ended.access.reused", newest.access_token);
    Note("ended.refresh.reused", newest.refresh_token);
  }

  void PeopleWhosePasswordsChanged() {
    const auto changed = SignUpAndIn("changed");
    const auto elsewhere = house_.SignIn("changed");
    Must(house_.ChangePassword(changed, kPassword, kNewPassword));
    Note("ended.access.changed", changed.access_token);
    Note("live.refresh.changed", changed.refresh_token);
    Note("ended.refresh.changed_elsewhere", elsewhere.refresh_token);
    Note("refused.password.changed", kPassword);
    Note("live.password.changed", kNewPassword);

    const auto set = SignUpAndIn("set");
    Must(house_->accounts.SetPassword(
        operator_, IdOf(set), flow::Credential(SecretBytes(kNewPassword))));
    Note("ended.access.set", set.access_token);
    Note("ended.refresh.set", set.refresh_token);
    Note("live.password.set", kNewPassword);
  }

  void PeopleWhoAreOut() {
    const auto disabled = SignUpAndIn("disabled");
    Must(house_->accounts.Disable(operator_, IdOf(disabled), "left"));
    Note("ended.access.disabled", disabled.access_token);
    Note("ended.refresh.disabled", disabled.refresh_token);
    Note("refused.password.disabled", kPassword);

    const auto back = SignUpAndIn("back_again");
    Must(house_->accounts.Disable(operator_, IdOf(back), ""));
    Must(house_->accounts.Enable(operator_, IdOf(back)));
    Note("ended.refresh.back_again", back.refresh_token);
    Note("live.password.back_again", kPassword);

    const auto deleted = SignUpAndIn("deleted");
    Must(house_->accounts.Delete(operator_, IdOf(deleted), ""));
    Note("ended.access.deleted", deleted.access_token);
    Note("ended.refresh.deleted", deleted.refresh_token);
    Note("refused.password.deleted", kPassword);
  }

  void AnImportedHash() {
    LetTimePass();
    Must(house_->accounts.Create(
        operator_, {"imported", "", false, "", {}},
        flow::Credential(flow::ImportedHash{kImportedHash})));
    Note("live.password.imported", kImportedPassword);
    Must(house_->accounts.Create(operator_, {"without", "", false, "", {}},
                                 std::nullopt));
    Note("refused.password.without", kPassword);
  }

  // Its successor is there, and may be had again by who knows the request id.
  void ALostAnswer() {
    const auto tokens = SignUpAndIn("lost_an_answer");
    const auto lost =
        ValueOf(house_.TryRefresh(tokens.refresh_token, "", kRequestId));
    Note("lost.presented", tokens.refresh_token);
    Note("lost.request_id", kRequestId);
    Note("lost.successor", lost.refresh_token);
  }

  void SomebodyOnTheMove() {
    auto tokens = SignUpAndIn("on_the_move");
    for (const char* address : {"198.51.100.9", "2001:db8::7"}) {
      LetTimePass();
      tokens = ValueOf(house_->refresh.Run(House::AnyoneFrom(address),
                                           {tokens.refresh_token, "", ""}));
    }
    Note("live.refresh.on_the_move", tokens.refresh_token);
  }

  const status_list::Issuing lists_;
  const flow::Caller operator_ = House::Operator();
  House house_{[this] {
    HouseOptions options;
    options.status_lists = lists_;
    return options;
  }()};
};

}  // namespace
}  // namespace ostiary::testing

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const bool lists = std::string(argv[2]) == "on";
  ostiary::testing::Story story(lists ? ostiary::status_list::Issuing::kOn
                                      : ostiary::status_list::Issuing::kOff);
  story.Live();
  story.WriteTo(argv[1]);
  return 0;
}
