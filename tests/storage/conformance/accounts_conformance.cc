#include "absl/strings/str_cat.h"
#include "tests/storage/conformance/conformance.h"

namespace ostiary::storage::conformance {
namespace {

using ::ostiary::testing::HasCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

constexpr char kArgon[] = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$ZGlnZXN0";
constexpr char kArgonShape[] = "$argon2id$v=19$m=19456,t=2,p=1";
constexpr char kBcrypt[] =
    "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";

TEST_P(StoreConformance, AnAccountComesBackFieldByField) {
  const AccountRow row = AccountOf(1);
  ASSERT_OK(Insert(row));
  EXPECT_THAT(FindAccount(row.account_id), Optional(row));
}

TEST_P(StoreConformance, AnAccountOfDefaultsComesBackAsItWas) {
  AccountRow row;
  row.account_id = KeyOf(1);
  ASSERT_OK(Insert(row));
  const std::optional<AccountRow> found = FindAccount(row.account_id);
  EXPECT_THAT(found, Optional(row));
  EXPECT_EQ(found->create_time, absl::InfinitePast());
}

TEST_P(StoreConformance, LargeValuesComeBackWhole) {
  AccountRow row = AccountOf(1);
  row.metadata_json = std::string(64 * 1024, 'm');
  row.display_name = std::string(64 * 1024, 'd');
  ASSERT_OK(Insert(row));
  EXPECT_THAT(FindAccount(row.account_id), Optional(row));
}

TEST_P(StoreConformance, TimesAreCutToMicroseconds) {
  AccountRow row = AccountOf(1);
  row.update_time = Noon() + absl::Nanoseconds(1999);
  row.create_time = absl::UnixEpoch() - absl::Microseconds(5);
  ASSERT_OK(Insert(row));
  const std::optional<AccountRow> found = FindAccount(row.account_id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->update_time, Noon() + absl::Microseconds(1));
  EXPECT_EQ(found->create_time, row.create_time);
}

TEST_P(StoreConformance, AnAccountIsFoundByItsNamesAndNoOthers) {
  const AccountRow row = AccountOf(1);
  ASSERT_OK(Insert(row));
  AccountRow nameless;
  nameless.account_id = KeyOf(2);
  ASSERT_OK(Insert(nameless));
  const auto by_username = [&](const std::string& key) {
    return Read([&](ReadTx& tx) { return tx.accounts().FindByUsername(key); });
  };
  const auto by_email = [&](const std::string& key) {
    return Read([&](ReadTx& tx) { return tx.accounts().FindByEmail(key); });
  };
  EXPECT_THAT(by_username("user1"), Optional(row));
  EXPECT_THAT(by_email("user1@example.com"), Optional(row));
  EXPECT_EQ(by_username("User1"), std::nullopt);
  EXPECT_EQ(by_username("user1@example.com"), std::nullopt);
  EXPECT_EQ(by_username(""), std::nullopt);
  EXPECT_EQ(by_email(""), std::nullopt);
  EXPECT_EQ(FindAccount(KeyOf(3)), std::nullopt);
}

TEST_P(StoreConformance, ATakenUsernameIsRefusedOnInsertAndUpdate) {
  ASSERT_OK(Insert(AccountOf(1)));
  AccountRow other = AccountOf(2);
  other.username_key = AccountOf(1).username_key;
  EXPECT_THAT(Insert(other), HasCode(absl::StatusCode::kAlreadyExists));
  ASSERT_OK(Insert(AccountOf(2)));
  EXPECT_THAT(Update(other), HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(FindAccount(KeyOf(2)), Optional(AccountOf(2)));
}

TEST_P(StoreConformance, ATakenEmailIsRefusedOnInsertAndUpdate) {
  ASSERT_OK(Insert(AccountOf(1)));
  AccountRow other = AccountOf(2);
  other.email_key = AccountOf(1).email_key;
  EXPECT_THAT(Insert(other), HasCode(absl::StatusCode::kAlreadyExists));
  ASSERT_OK(Insert(AccountOf(2)));
  EXPECT_THAT(Update(other), HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(FindAccount(KeyOf(2)), Optional(AccountOf(2)));
}

TEST_P(StoreConformance, ATakenAccountIdIsRefused) {
  ASSERT_OK(Insert(AccountOf(1)));
  AccountRow other = AccountOf(2);
  other.account_id = KeyOf(1);
  EXPECT_THAT(Insert(other), HasCode(absl::StatusCode::kAlreadyExists));
}

TEST_P(StoreConformance, ManyAccountsMayHaveNoNames) {
  for (std::uint32_t i = 1; i <= 3; ++i) {
    AccountRow row = AccountOf(i);
    row.username_key.clear();
    row.email_key.clear();
    EXPECT_OK(Insert(row));
  }
}

TEST_P(StoreConformance, ANameIsFreeAgainOnceItsAccountGaveItUp) {
  ASSERT_OK(Insert(AccountOf(1)));
  AccountRow renamed = AccountOf(1);
  renamed.username_key = "other";
  renamed.email_key.clear();
  ASSERT_OK(Update(renamed));
  AccountRow heir = AccountOf(2);
  heir.username_key = AccountOf(1).username_key;
  heir.email_key = AccountOf(1).email_key;
  EXPECT_OK(Insert(heir));
}

TEST_P(StoreConformance, AnUpdateReplacesEveryField) {
  ASSERT_OK(Insert(AccountOf(1)));
  AccountRow row = AccountOf(7);
  row.account_id = KeyOf(1);
  row.email_verified = false;
  row.disabled = false;
  row.roles.clear();
  row.metadata_json.clear();
  row.generation = row.session_floor = row.credential_version = 9;
  row.password_hash = kBcrypt;
  row.create_time = absl::InfinitePast();
  ASSERT_OK(Update(row));
  EXPECT_THAT(FindAccount(KeyOf(1)), Optional(row));
}

TEST_P(StoreConformance, UpdatingAMissingAccountIsNotFound) {
  EXPECT_THAT(Update(AccountOf(1)), HasCode(absl::StatusCode::kNotFound));
  EXPECT_EQ(FindAccount(KeyOf(1)), std::nullopt);
}

TEST_P(StoreConformance, DeletingAnAccountSaysWhetherThereWasOne) {
  ASSERT_OK(Insert(AccountOf(1)));
  const auto remove = [&] {
    return WriteAndGet(
        [](WriteTx& tx) { return tx.accounts().Delete(KeyOf(1)); });
  };
  EXPECT_TRUE(remove());
  EXPECT_FALSE(remove());
  EXPECT_EQ(FindAccount(KeyOf(1)), std::nullopt);
  EXPECT_OK(Insert(AccountOf(1)));
}

TEST_P(StoreConformance, AccountsAreListedInPages) {
  for (const std::uint32_t number : {5u, 1u, 300u, 2u}) {
    ASSERT_OK(Insert(AccountOf(number)));
  }
  const auto page = [&](const Key16& after, std::size_t limit) {
    return Read([&](ReadTx& tx) { return tx.accounts().List(after, limit); });
  };
  EXPECT_THAT(page(Key16{}, 3),
              ElementsAre(AccountOf(1), AccountOf(2), AccountOf(5)));
  EXPECT_THAT(page(KeyOf(5), 3), ElementsAre(AccountOf(300)));
  EXPECT_THAT(page(KeyOf(300), 3), IsEmpty());
  EXPECT_THAT(page(Key16{}, 0), IsEmpty());
  EXPECT_EQ(page(Key16{}, static_cast<std::size_t>(-1)).size(), 4u);
}

TEST_P(StoreConformance, HashShapesFollowTheAccounts) {
  const auto shapes = [&] {
    return Read([](ReadTx& tx) { return tx.accounts().HashShapes(); });
  };
  EXPECT_THAT(shapes(), IsEmpty());
  AccountRow none = AccountOf(3);
  none.password_hash.clear();
  ASSERT_OK(Insert(AccountOf(1)));
  ASSERT_OK(Insert(AccountOf(2)));
  ASSERT_OK(Insert(none));
  EXPECT_THAT(shapes(), ElementsAre(Pair(kArgonShape, 2)));

  AccountRow imported = AccountOf(1);
  imported.password_hash = kBcrypt;
  ASSERT_OK(Update(imported));
  EXPECT_THAT(shapes(), ElementsAre(Pair("$2b$12", 1), Pair(kArgonShape, 1)));

  ASSERT_OK(Write(
      [](WriteTx& tx) { return tx.accounts().Delete(KeyOf(2)).status(); }));
  none.password_hash = kBcrypt;
  ASSERT_OK(Update(none));
  EXPECT_THAT(shapes(), ElementsAre(Pair("$2b$12", 2)));
}

TEST_P(StoreConformance, HashShapesAreRolledBackWithTheirAccount) {
  AccountRow row = AccountOf(1);
  row.password_hash = kArgon;
  EXPECT_FALSE(Write([&](WriteTx& tx) {
                 EXPECT_OK(tx.accounts().Insert(row));
                 return absl::AbortedError("no");
               }).ok());
  EXPECT_THAT(Read([](ReadTx& tx) { return tx.accounts().HashShapes(); }),
              IsEmpty());
}

}  // namespace
}  // namespace ostiary::storage::conformance
