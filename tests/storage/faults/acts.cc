#include "tests/storage/faults/acts.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using flow::AccountKey;
using flow::IssuedTokens;

std::string Named(int number) { return absl::StrCat("person", number); }

// Somebody who is signed in.
struct Person {
  Person(House& house, int number) : name(Named(number)) {
    id = house.SignUp(name).ToString();
    tokens = house.SignIn(name);
  }
  std::string name;
  std::string id;
  IssuedTokens tokens;
};

template <typename T>
absl::Status StatusOnly(const absl::StatusOr<T>& result) {
  return result.status();
}

storage::AccountRow RowOf(House& house, const std::string& id) {
  return ValueOf(house->accounts.Get({AccountKey::Kind::kId, id}));
}

bool Exists(House& house, const std::string& name) {
  return house->accounts.Get({AccountKey::Kind::kUsername, name}).ok();
}

Act SignUpAct(House& house, int number) {
  return {
      [&house, number] {
        return StatusOnly(house->sign_up.Run(
            House::Anyone(), {Named(number), "", SecretBytes(kPassword), ""}));
      },
      [&house, number] { return Exists(house, Named(number)); }};
}

Act CreateAct(House& house, int number) {
  return {[&house, number] {
            flow::AccountDraft draft;
            draft.username = Named(number);
            return StatusOnly(
                house->accounts.Create(House::Operator(), draft, std::nullopt));
          },
          [&house, number] { return Exists(house, Named(number)); }};
}

// A call that hands out tokens: an answer is good if they are.
template <typename Call>
Act Issuing(House& house, Call call) {
  auto tokens = std::make_shared<std::optional<IssuedTokens>>();
  return {[call, tokens]() -> absl::Status {
            absl::StatusOr<IssuedTokens> issued = call();
            if (issued.ok()) *tokens = *issued;
            return issued.status();
          },
          [&house, tokens] {
            return tokens->has_value() &&
                   house.Verdict((*tokens)->access_token).empty();
          }};
}

Act SignInAct(House& house, int number) {
  house.SignUp(Named(number));
  return Issuing(house,
                 [&house, number] { return house.TrySignIn(Named(number)); });
}

Act RefreshAct(House& house, int number) {
  const std::string token = Person(house, number).tokens.refresh_token;
  // With an id: if the first answer was lost, the second says the same.
  return Issuing(house, [&house, token] {
    return house.TryRefresh(token, "", "0123456789abcdef");
  });
}

Act RetryAct(House& house, int number) {
  const std::string token = Person(house, number).tokens.refresh_token;
  EXPECT_OK(house.TryRefresh(token, "", "0123456789abcdef"));
  return Issuing(house, [&house, token] {
    return house.TryRefresh(token, "", "0123456789abcdef");
  });
}

// A call after which `token` is refused.
template <typename Call>
Act Ending(House& house, const std::string& token, Call call) {
  return {std::move(call),
          [&house, token] { return !house.Verdict(token).empty(); }};
}

Act RevokeTokenAct(House& house, int number) {
  const Person person(house, number);
  const std::string token = person.tokens.access_token;
  return Ending(house, token, [&house, token] {
    return StatusOnly(house->revoke.Token(House::Anyone(), token, "lost"));
  });
}

Act RevokeSessionAct(House& house, int number) {
  const Person person(house, number);
  const std::string session = person.tokens.session_id.ToString();
  return Ending(house, person.tokens.access_token, [&house, session] {
    return StatusOnly(
        house->manage_sessions.Revoke(House::Operator(), session, ""));
  });
}

Act RevokeAllAct(House& house, int number) {
  const Person person(house, number);
  return Ending(house, person.tokens.access_token, [&house, id = person.id] {
    return StatusOnly(
        house->manage_sessions.RevokeAll(House::Operator(), id, ""));
  });
}

Act RevokeClientAct(House& house, int number) {
  const Person person(house, number);
  const Act act = Ending(house, person.tokens.access_token, [&house] {
    return StatusOnly(
        house->revoke.Client(House::Operator(), "cli_default", "stolen"));
  });
  // Of the token as of this moment: the next one is issued beyond its reach.
  return {act.call, [&house, act] {
            const bool ended = act.holds();
            house.clock.Advance(absl::Seconds(10));
            return ended;
          }};
}

Act SignOutAct(House& house, int number) {
  const Person person(house, number);
  return Ending(
      house, person.tokens.access_token,
      [&house, token = person.tokens.refresh_token] {
        return StatusOnly(house->sign_out.Run(House::Anyone(), token));
      });
}

Act ReuseAct(House& house, int number) {
  const Person person(house, number);
  const IssuedTokens second = house.Refresh(person.tokens.refresh_token);
  const IssuedTokens third = house.Refresh(second.refresh_token);
  return Ending(
      house, third.access_token,
      [&house, stolen = person.tokens.refresh_token]() -> absl::Status {
        const absl::Status status = house.TryRefresh(stolen).status();
        // To be found out is what was asked for.
        const bool found_out =
            ReasonOf(status) == Reason::kRefreshRejected && HasReason(status);
        return found_out ? absl::OkStatus() : status;
      });
}

Act ChangePasswordAct(House& house, int number) {
  const Person person(house, number);
  const IssuedTokens other = house.SignIn(person.name);
  return Ending(house, other.access_token, [&house, tokens = person.tokens] {
    return StatusOnly(house.ChangePassword(tokens, kPassword, kNewPassword));
  });
}

Act SetPasswordAct(House& house, int number) {
  const Person person(house, number);
  return Ending(house, person.tokens.access_token, [&house, id = person.id] {
    return StatusOnly(house->accounts.SetPassword(House::Operator(), id,
                                                  SecretBytes(kNewPassword)));
  });
}

Act DisableAct(House& house, int number) {
  const Person person(house, number);
  return Ending(house, person.tokens.access_token, [&house, id = person.id] {
    return StatusOnly(house->accounts.Disable(House::Operator(), id, ""));
  });
}

Act DeleteAct(House& house, int number) {
  const Person person(house, number);
  return Ending(house, person.tokens.access_token, [&house, id = person.id] {
    return StatusOnly(house->accounts.Delete(House::Operator(), id, ""));
  });
}

Act RevokeRoleAct(House& house, int number) {
  const std::string id = house.SignUp(Named(number)).ToString();
  EXPECT_OK(house->accounts.GrantRole(House::Operator(), id, "editor"));
  const IssuedTokens tokens = house.SignIn(Named(number));
  return Ending(house, tokens.access_token, [&house, id] {
    return StatusOnly(
        house->accounts.RevokeRole(House::Operator(), id, "editor"));
  });
}

Act GrantRoleAct(House& house, int number) {
  const std::string id = house.SignUp(Named(number)).ToString();
  return {[&house, id] {
            return StatusOnly(
                house->accounts.GrantRole(House::Operator(), id, "editor"));
          },
          [&house, id] { return !RowOf(house, id).roles.empty(); }};
}

Act EnableAct(House& house, int number) {
  const std::string id = house.SignUp(Named(number)).ToString();
  EXPECT_OK(house->accounts.Disable(House::Operator(), id, ""));
  return {[&house, id] {
            return StatusOnly(house->accounts.Enable(House::Operator(), id));
          },
          [&house, id] { return !RowOf(house, id).disabled; }};
}

Act UpdateAct(House& house, int number) {
  const std::string id = house.SignUp(Named(number)).ToString();
  return {[&house, id] {
            flow::ProfileChange change;
            change.display_name = "Ada";
            // Longer than a page.
            change.metadata_json =
                absl::StrCat("{\"a\":\"", std::string(6000, 'a'), "\"}");
            return StatusOnly(
                house->accounts.Update(House::Operator(), id, change));
          },
          [&house, id] {
            const storage::AccountRow row = RowOf(house, id);
            return row.display_name == "Ada" && row.metadata_json.size() > 6000;
          }};
}

bool Always() { return true; }

Act ListAccountsAct(House& house, int number) {
  house.SignUp(Named(number));
  return {[&house]() -> absl::Status {
            auto page = house->accounts.List(1000, "");
            if (!page.ok()) return page.status();
            // An answer is whole.
            EXPECT_THAT(page->accounts, ::testing::Not(::testing::IsEmpty()));
            return absl::OkStatus();
          },
          Always};
}

Act ListSessionsAct(House& house, int number) {
  const Person person(house, number);
  return {[&house, id = person.id]() -> absl::Status {
            auto rows = house->manage_sessions.List(House::Operator(), id);
            if (!rows.ok()) return rows.status();
            EXPECT_THAT(*rows, ::testing::SizeIs(1));
            return absl::OkStatus();
          },
          Always};
}

// Needs no disk at all.
Act VerifyAct(House& house, int number) {
  const Person person(house, number);
  return {[&house, token = person.tokens.access_token] {
            return house.Verdict(token).empty()
                       ? absl::OkStatus()
                       : absl::InternalError("a good token is refused");
          },
          Always};
}

Act RevokeKeyAct(House& house, int number) {
  const Person person(house, number);
  const std::string key = house->keys->Snapshot()->active().key_id();
  return Ending(house, person.tokens.access_token, [&house, key] {
    return StatusOnly(house->keys->Revoke(key, "stolen", {}));
  });
}

Act RotateKeyAct(House& house, int) {
  // Long enough for the next key to be due.
  house.clock.Advance(absl::Hours(24 * 40));
  return {[&house] { return StatusOnly(house->keys->ApplySchedule()); },
          [&house] { return ValueOf(house->keys->ApplySchedule()) == 0; }};
}

Act SweepAct(House& house, int number) {
  const Person person(house, number);
  EXPECT_OK(house->revoke.Client(House::Operator(), "cli_default", ""));
  house.clock.Advance(absl::Seconds(10));
  return {[&house] {
            return house->aftermath->sweep.Continue(*house->store,
                                                    house.clock.Now(), 100);
          },
          Always};
}

// As the housekeeper does it.
Act ForgetAct(House& house, int number) {
  const Person person(house, number);
  EXPECT_OK(
      house->revoke.Token(House::Anyone(), person.tokens.access_token, ""));
  house.clock.Advance(absl::Hours(24 * 100));
  return {[&house] {
            const absl::Time now = house.clock.Now();
            return house.Write([&](storage::WriteTx& tx) -> absl::Status {
              auto ledger = tx.ledger().DeleteExpired(now, 500);
              if (!ledger.ok()) return ledger.status();
              auto sessions = tx.sessions().DeleteEnded(now, 500);
              if (!sessions.ok()) return sessions.status();
              return tx.status_lists().DeleteExpired(now, 500).status();
            });
          },
          [&house] { return house.Ledger().empty(); }};
}

Act PingAct(House& house, int) {
  return {[&house] { return house->store->Ping(); }, Always};
}

}  // namespace

const std::vector<Flow>& EveryFlow() {
  static const auto* const flows = new std::vector<Flow>{
      {"SignUp", SignUpAct},
      {"CreateAccount", CreateAct},
      {"SignIn", SignInAct},
      {"Refresh", RefreshAct},
      {"RetryRefresh", RetryAct},
      {"ReuseOfRefreshToken", ReuseAct, true},
      {"Verify", VerifyAct},
      {"RevokeToken", RevokeTokenAct, true},
      {"RevokeSession", RevokeSessionAct, true},
      {"RevokeAllSessions", RevokeAllAct, true},
      {"RevokeClient", RevokeClientAct, true},
      {"SignOut", SignOutAct, true},
      {"ChangePassword", ChangePasswordAct, true},
      {"SetPassword", SetPasswordAct, true},
      {"DisableAccount", DisableAct, true},
      {"DeleteAccount", DeleteAct, true},
      {"RevokeRole", RevokeRoleAct, true},
      {"GrantRole", GrantRoleAct},
      {"EnableAccount", EnableAct},
      {"UpdateAccount", UpdateAct},
      {"ListAccounts", ListAccountsAct},
      {"ListSessions", ListSessionsAct},
      {"RevokeSigningKey", RevokeKeyAct, true},
      {"RotateSigningKey", RotateKeyAct},
      {"SweepStatusLists", SweepAct, false, true},
      {"ForgetWhatHasEnded", ForgetAct},
      {"Ping", PingAct},
  };
  return *flows;
}

}  // namespace ostiary::testing
