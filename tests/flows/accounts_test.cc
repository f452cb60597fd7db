#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/flow/manage_accounts.h"
#include "server/password/hasher.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using flow::AccountKey;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Accounts : public ::testing::Test {
 protected:
  absl::StatusOr<storage::AccountRow> Create(
      const std::string& username, const std::string& email = "",
      const std::optional<flow::Credential>& credential = std::nullopt) {
    flow::AccountDraft draft;
    draft.username = username;
    draft.email = email;
    return house_->accounts.Create(operator_, draft, credential);
  }
  std::string IdOf(const storage::AccountRow& row) {
    return AccountId(row.account_id).ToString();
  }
  std::string NewAccount(const std::string& username) {
    return IdOf(ValueOf(Create(username)));
  }

  House house_;
  const flow::Caller operator_ = House::Operator();
};

// --- Sign-up and creation.

TEST_F(Accounts, NamesAreKeptAsWrittenAndFoundHoweverWritten) {
  const auto made = ValueOf(Create("Ada", "Ada@Example.com"));
  EXPECT_EQ(made.username, "Ada");
  EXPECT_EQ(made.email, "Ada@Example.com");
  for (const AccountKey& key :
       {AccountKey{AccountKey::Kind::kId, IdOf(made)},
        AccountKey{AccountKey::Kind::kUsername, "aDA"},
        AccountKey{AccountKey::Kind::kEmail, "ada@EXAMPLE.com"}}) {
    EXPECT_EQ(ValueOf(house_->accounts.Get(key)).account_id, made.account_id);
  }
}

TEST_F(Accounts, DuplicateDoesNotSayWhichOfTheTwo) {
  ASSERT_OK(Create("ada", "ada@example.com"));
  const absl::Status by_name = Create("ADA", "x@example.com").status();
  const absl::Status by_email = Create("bob", "ADA@example.com").status();
  EXPECT_EQ(by_name, Refuse(Reason::kIdentifierTaken));
  EXPECT_EQ(by_email, by_name);
  flow::ProfileChange change;
  change.username = "ada";
  EXPECT_EQ(
      house_->accounts.Update(operator_, NewAccount("carl"), change).status(),
      by_name);
}

TEST_F(Accounts, EverythingThatIsWrongIsSaidAtOnce) {
  flow::AccountDraft draft;
  draft.username = "a b";
  draft.email = "nowhere";
  draft.display_name = "x\n";
  draft.roles = {"no spaces"};
  const auto status =
      house_->accounts.Create(operator_, draft, std::nullopt).status();
  std::vector<std::string> fields;
  for (const auto& violation : FieldViolationsOf(status))
    fields.push_back(violation.field);
  EXPECT_THAT(fields,
              ElementsAre("username", "email", "display_name", "roles"));
}

TEST_F(Accounts, NeedAUsernameOrAnEmail) {
  EXPECT_EQ(ReasonOf(Create("").status()), Reason::kArgumentInvalid);
  EXPECT_OK(Create("", "only@example.com"));
}

TEST_F(Accounts, ImportedHashSignsInAndIsUpgraded) {
  const password::Hasher old({1024, 1}, house_->random);
  const std::string hash =
      ValueOf(old.Hash(password::PresentedPassword::From(kPassword))).text();
  const auto made =
      ValueOf(Create("ada", "", flow::Credential(flow::ImportedHash{hash})));
  EXPECT_EQ(made.password_hash, hash);
  house_.SignIn("ada");
  EXPECT_NE(house_.Account(AccountId(made.account_id))->password_hash, hash);
}

TEST_F(Accounts, HashThatCannotBeUsedIsRefusedAboutItsField) {
  for (const char* hash : {"", "!", "*", "hunter2",
                           "$argon2id$v=19$m=99999999,t=9,p=9$c2FsdHNhbHQ$"
                           "aGFzaGhhc2hoYXNoaGFzaA"}) {
    const auto status =
        Create("ada", "", flow::Credential(flow::ImportedHash{hash})).status();
    EXPECT_EQ(ReasonOf(status), Reason::kArgumentInvalid) << hash;
    ASSERT_THAT(FieldViolationsOf(status), SizeIs(1));
    EXPECT_EQ(FieldViolationsOf(status)[0].field, "password_hash");
  }
}

TEST_F(Accounts, AccountWithoutAPasswordCannotSignIn) {
  NewAccount("ada");
  EXPECT_EQ(ReasonOf(house_.TrySignIn("ada", "").status()),
            Reason::kCredentialsRejected);
}

// --- Roles.

TEST_F(Accounts, RoleTakenAwayEndsTheTokensAndNotTheSession) {
  const std::string id = house_.SignUp("ada").ToString();
  ASSERT_OK(house_->accounts.GrantRole(operator_, id, "editor"));
  const auto tokens = house_.SignIn("ada");
  ASSERT_OK(house_->accounts.RevokeRole(operator_, id, "editor"));
  EXPECT_EQ(house_.Verdict(tokens.access_token), "TOKEN_REVOKED");
  const auto next = house_.Refresh(tokens.refresh_token);
  EXPECT_EQ(house_.Verdict(next.access_token), "");
  EXPECT_THAT(house_.Claims(next.access_token).roles, IsEmpty());
}

TEST_F(Accounts, GrantingOrTakingTwiceChangesNothing) {
  const std::string id = NewAccount("ada");
  ASSERT_OK(house_->accounts.GrantRole(operator_, id, "editor"));
  const std::size_t audited = house_.Audit().size();
  ASSERT_OK(house_->accounts.GrantRole(operator_, id, "editor"));
  ASSERT_OK(house_->accounts.RevokeRole(operator_, id, "viewer"));
  EXPECT_THAT(house_.Audit(), SizeIs(audited));
  EXPECT_THAT(house_.Ledger(), IsEmpty());
}

TEST_F(Accounts, HaveAtMost32Roles) {
  const std::string id = NewAccount("ada");
  for (int i = 0; i < 32; ++i) {
    ASSERT_OK(house_->accounts.GrantRole(operator_, id, std::to_string(i)));
  }
  EXPECT_EQ(ReasonOf(house_->accounts.GrantRole(operator_, id, "x").status()),
            Reason::kArgumentInvalid);
  EXPECT_THAT(house_.Account(*AccountId::Parse(id))->roles, SizeIs(32));
}

// --- Profile.

TEST_F(Accounts, OnlyWhatIsNamedChanges) {
  const auto made = ValueOf(Create("ada", "ada@example.com"));
  house_.clock.Advance(absl::Seconds(5));
  flow::ProfileChange change;
  change.display_name = "Ada L.";
  const auto after =
      ValueOf(house_->accounts.Update(operator_, IdOf(made), change));
  storage::AccountRow expected = made;
  expected.display_name = "Ada L.";
  expected.update_time = after.update_time;
  EXPECT_EQ(after, expected);
  EXPECT_GT(after.update_time, made.update_time);
}

TEST_F(Accounts, NewEmailHasNotBeenVerified) {
  const auto made = ValueOf(Create("ada", "ada@example.com"));
  flow::ProfileChange verified;
  verified.email_verified = true;
  EXPECT_TRUE(ValueOf(house_->accounts.Update(operator_, IdOf(made), verified))
                  .email_verified);
  flow::ProfileChange moved;
  moved.email = "ada@elsewhere.example";
  EXPECT_FALSE(ValueOf(house_->accounts.Update(operator_, IdOf(made), moved))
                   .email_verified);
}

TEST_F(Accounts, CannotLoseBothNames) {
  const std::string id = NewAccount("ada");
  flow::ProfileChange change;
  change.username = "";
  EXPECT_EQ(ReasonOf(house_->accounts.Update(operator_, id, change).status()),
            Reason::kArgumentInvalid);
}

// --- Delete.

TEST_F(Accounts, DeletedNameMayBeTakenAgainByAnotherId) {
  const AccountId first = house_.SignUp("ada");
  const auto tokens = house_.SignIn("ada");
  ASSERT_OK(house_->accounts.Delete(operator_, first.ToString(), ""));
  const AccountId second = house_.SignUp("ada");
  EXPECT_NE(first, second);
  EXPECT_EQ(house_.Verdict(tokens.access_token), "TOKEN_REVOKED");
  EXPECT_EQ(house_.Verdict(house_.SignIn("ada").access_token), "");
}

TEST_F(Accounts, UnknownIdIsNotFoundEverywhere) {
  for (const std::string& id : {AccountId(storage::Key16{9}).ToString(),
                                std::string("x"), std::string()}) {
    const std::vector<absl::Status> answers = {
        house_->accounts.Get({AccountKey::Kind::kId, id}).status(),
        house_->accounts.Update(operator_, id, {}).status(),
        house_->accounts.Disable(operator_, id, "").status(),
        house_->accounts.Enable(operator_, id).status(),
        house_->accounts.Delete(operator_, id, "").status(),
        house_->accounts
            .SetPassword(operator_, id, SecretBytes(std::string(kNewPassword)))
            .status(),
        house_->accounts.GrantRole(operator_, id, "r").status(),
        house_->accounts.RevokeRole(operator_, id, "r").status()};
    for (const absl::Status& answer : answers) {
      EXPECT_EQ(answer, Refuse(Reason::kNotFound));
    }
  }
}

// --- Pages.

TEST_F(Accounts, PagesHoldEveryAccountOnce) {
  std::vector<std::string> made;
  for (int i = 0; i < 7; ++i) {
    house_.clock.Advance(absl::Milliseconds(1));
    made.push_back(NewAccount("user" + std::to_string(i)));
  }
  std::vector<std::string> listed;
  std::string token;
  int pages = 0;
  do {
    const auto page = ValueOf(house_->accounts.List(3, token));
    for (const auto& row : page.accounts) listed.push_back(IdOf(row));
    token = page.next_page_token;
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(listed, made);
  EXPECT_EQ(pages, 3);
}

TEST_F(Accounts, PageTokenOrSizeThatIsNoneIsRefused) {
  EXPECT_EQ(ReasonOf(house_->accounts.List(3, "page_x").status()),
            Reason::kArgumentInvalid);
  EXPECT_EQ(ReasonOf(house_->accounts.List(-1, "").status()),
            Reason::kArgumentInvalid);
}

// --- Audit: a row in the transaction of every change.

TEST_F(Accounts, EveryChangeIsAuditedWithItsActor) {
  const std::string id = NewAccount("ada");
  flow::ProfileChange change;
  change.display_name = "Ada";
  ASSERT_OK(house_->accounts.Update(operator_, id, change));
  ASSERT_OK(house_->accounts.GrantRole(operator_, id, "r"));
  ASSERT_OK(house_->accounts.RevokeRole(operator_, id, "r"));
  ASSERT_OK(house_->accounts.SetPassword(
      operator_, id, SecretBytes(std::string(kNewPassword))));
  ASSERT_OK(house_->accounts.Disable(operator_, id, ""));
  ASSERT_OK(house_->accounts.Enable(operator_, id));
  ASSERT_OK(house_->accounts.Delete(operator_, id, ""));
  std::vector<std::string> actions;
  for (const auto& row : house_.Audit()) {
    if (row.account_id != id) continue;
    actions.push_back(row.action);
    EXPECT_EQ(row.actor, "operator");
    EXPECT_EQ(row.outcome, "ok");
  }
  EXPECT_THAT(actions, ElementsAre("account.create", "account.update",
                                   "account.grant_role", "account.revoke_role",
                                   "account.set_password", "account.disable",
                                   "account.enable", "account.delete"));
}

}  // namespace
}  // namespace ostiary::testing
