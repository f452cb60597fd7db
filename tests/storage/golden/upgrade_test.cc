// Every store that a release has left behind opens, is brought forward, and has
// lost nothing: not a row, and not what its rows mean.
#include <sys/stat.h>

#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/status_list/status_reference.h"
#include "server/base/reason.h"
#include "server/key/lifecycle.h"
#include "server/status_list/list_uri.h"
#include "storage/open_store.h"
#include "storage/sqlite/migrations.h"
#include "tests/flows/house.h"
#include "tests/storage/golden/old_store.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using storage::sqlite::EmbeddedMigrations;
using storage::sqlite::Migration;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<OldStore>& OldStores() {
  static const auto& stores = *new std::vector<OldStore>(ReadOldStores());
  return stores;
}

absl::Status OpenAndClose(const std::string& path) {
  return storage::OpenStore({.url = "sqlite:" + path}).status();
}

absl::Status MigrateWith(const std::string& path,
                         const std::vector<Migration>& migrations) {
  auto connection = ValueOf(storage::sqlite::Connection::Open(path));
  return storage::sqlite::Migrate(*connection, path, migrations);
}

TEST(Golden, EverySchemaHasADump) {
  ASSERT_THAT(OldStores(), SizeIs(EmbeddedMigrations().size()))
      << "a migration without a dump, or a dump without its migration: see "
         "tests/storage/golden/README.md";
}

class Upgrade : public ::testing::TestWithParam<OldStore> {
 protected:
  void SetUp() override { old_.WriteTo(path_); }

  const OldStore& old_ = GetParam();
  TempDir dir_;
  const std::string path_ = dir_.File("store.db");
};

INSTANTIATE_TEST_SUITE_P(Schema, Upgrade, ::testing::ValuesIn(OldStores()),
                         [](const auto& each) {
                           return absl::StrCat(each.param.version);
                         });

// A schema file that was released is never edited.
TEST_P(Upgrade, TheDumpHasTheSchemaThatItsMigrationsStillMake) {
  const auto& all = EmbeddedMigrations();
  const std::string made = dir_.File("made.db");
  std::ofstream(made).flush();
  ASSERT_OK(MigrateWith(made, {all.begin(), all.begin() + old_.version}));
  EXPECT_EQ(RawFile(path_).Schema(), RawFile(made).Schema());
  EXPECT_THAT(RawFile(path_).Texts("PRAGMA user_version"),
              ElementsAre(absl::StrCat(old_.version)));
}

TEST_P(Upgrade, EndsWithTheSchemaOfANewStore) {
  ASSERT_OK(OpenAndClose(path_));
  const std::string fresh = dir_.File("fresh.db");
  ASSERT_OK(OpenAndClose(fresh));
  EXPECT_EQ(RawFile(path_).Schema(), RawFile(fresh).Schema());
  EXPECT_EQ(RawFile(path_).Texts("PRAGMA user_version"),
            RawFile(fresh).Texts("PRAGMA user_version"));
  EXPECT_THAT(RawFile(path_).Texts("PRAGMA integrity_check"),
              ElementsAre("ok"));
}

TEST_P(Upgrade, KeepsEveryRow) {
  RawFile before(path_);
  const Contents contents = Contents::Of(before);
  for (const char* table : {"accounts", "sessions", "ledger", "keys", "audit",
                            "facts", "hash_shapes"}) {
    EXPECT_GT(contents.rows.at(table).size(), 1u) << table;
  }
  ASSERT_OK(OpenAndClose(path_));
  RawFile after(path_);
  EXPECT_THAT(contents.MissingFrom(after), IsEmpty());
}

TEST_P(Upgrade, ARowThatAMigrationLosesOrChangesIsNoticed) {
  RawFile before(path_);
  const Contents contents = Contents::Of(before);
  std::vector<Migration> careless = EmbeddedMigrations();
  careless.push_back({static_cast<int>(careless.size()) + 1,
                      "DELETE FROM ledger WHERE kind = 1;"
                      "UPDATE accounts SET disabled = 0;"
                      "ALTER TABLE facts RENAME COLUMN value TO worth;"});
  ASSERT_OK(MigrateWith(path_, careless));
  RawFile after(path_);
  EXPECT_THAT(
      contents.MissingFrom(after),
      AllOf(Contains(HasSubstr("ledger: ")), Contains(HasSubstr("accounts: ")),
            Contains(HasSubstr("facts: "))));
}

TEST_P(Upgrade, AProgramThatIsOlderRefusesByNameAndTouchesNothing) {
  const auto contents = [this] {
    std::ifstream in(path_, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  const auto& all = EmbeddedMigrations();
  const std::string before = contents();
  const absl::Status refused =
      MigrateWith(path_, {all.begin(), all.begin() + old_.version - 1});
  EXPECT_THAT(refused, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(path_),
                    HasSubstr(absl::StrCat("schema version ", old_.version)),
                    HasSubstr(absl::StrCat("up to ", old_.version - 1))));
  EXPECT_TRUE(contents() == before);
}

// The whole house on the old store, at the time at which it was left.
class OldHouse : public ::testing::TestWithParam<OldStore> {
 protected:
  // Each name with what came of it, for all notes below `prefix`.
  std::map<std::string, std::string> Each(
      const std::string& prefix,
      const std::function<std::string(const std::string& name,
                                      const std::string& value)>& ask) {
    std::map<std::string, std::string> answers;
    for (const auto& [name, value] : old_.NotesBelow(prefix))
      answers[name] = ask(name, value);
    EXPECT_FALSE(answers.empty()) << prefix;
    return answers;
  }
  static std::map<std::string, std::string> All(
      const std::map<std::string, std::string>& names,
      const std::string& answer) {
    std::map<std::string, std::string> all;
    for (const auto& [name, unused] : names) all[name] = answer;
    return all;
  }
  static std::string ReasonOr(const absl::Status& status) {
    return status.ok() ? "" : std::string(ReasonName(ReasonOf(status)));
  }

  const OldStore& old_ = GetParam();
  House house_{[this] {
    HouseOptions options;
    options.status_lists = status_list::Issuing::kOn;
    options.furnish = [this](const TempDir& dir, ManualClock& clock) {
      old_.WriteTo(dir.File("store.db"));
      std::int64_t micros = 0;
      ASSERT_TRUE(absl::SimpleAtoi(old_.notes.at("now"), &micros));
      clock.Advance(absl::FromUnixMicros(micros) - clock.Now());
    };
    return options;
  }()};
};

INSTANTIATE_TEST_SUITE_P(Schema, OldHouse, ::testing::ValuesIn(OldStores()),
                         [](const auto& each) {
                           return absl::StrCat(each.param.version);
                         });

TEST_P(OldHouse, WhatWasLiveIsLiveAndWhatWasRevokedIsRevoked) {
  const auto verdict = [this](const std::string&, const std::string& token) {
    return house_.Verdict(token);
  };
  for (int start = 1; start <= 2; ++start) {
    const auto live = Each("live.access.", verdict);
    EXPECT_EQ(live, All(live, ""));
    auto ended = Each("ended.access.", verdict);
    EXPECT_EQ(ended["revoked_key"], "KEY_UNKNOWN");
    ended.erase("revoked_key");
    EXPECT_EQ(ended, All(ended, "TOKEN_REVOKED"));
    EXPECT_GE(ended.size(), 10u);
    house_.Restart(absl::Seconds(1));
  }
}

TEST_P(OldHouse, PeopleSignInWithTheirPasswordsAndWithNoOthers) {
  const auto sign_in = [this](const std::string& name,
                              const std::string& password) {
    return ReasonOr(house_.TrySignIn(name, password).status());
  };
  const auto live = Each("live.password.", sign_in);
  EXPECT_EQ(live, All(live, ""));
  const auto refused = Each("refused.password.", sign_in);
  EXPECT_EQ(refused, All(refused, "CREDENTIALS_REJECTED"));
}

TEST_P(OldHouse, SessionsRefreshUnlessTheyHadEnded) {
  const auto refresh = [this](const std::string&, const std::string& token) {
    const auto tokens = house_.TryRefresh(token);
    if (!tokens.ok()) return ReasonOr(tokens.status());
    return house_.Verdict(tokens->access_token);
  };
  const auto live = Each("live.refresh.", refresh);
  EXPECT_EQ(live, All(live, ""));
  const auto ended = Each("ended.refresh.", refresh);
  EXPECT_EQ(ended, All(ended, "REFRESH_REJECTED"));
}

TEST_P(OldHouse, AnAnswerThatWasLostIsGivenAgain) {
  const auto tokens = house_.TryRefresh(old_.notes.at("lost.presented"), "",
                                        old_.notes.at("lost.request_id"));
  ASSERT_OK(tokens);
  EXPECT_EQ(tokens->refresh_token, old_.notes.at("lost.successor"));
}

TEST_P(OldHouse, KeysOpenAndAreInTheStateTheyWereIn) {
  const auto state = [this](const std::string& note) {
    using Found = std::optional<storage::KeyRow>;
    return ValueOf(storage::ReadValue<Found>(*house_->store,
                                             [&](storage::ReadTx& tx) {
                                               return tx.keys().Find(
                                                   old_.notes.at(note));
                                             }))
        .value_or(storage::KeyRow())
        .state;
  };
  EXPECT_EQ(state("key.retired"), "retired");
  EXPECT_EQ(state("key.revoked"), "revoked");
  // The one that signs now has its private part.
  EXPECT_OK(house_.TrySignIn("ada"));
}

TEST_P(OldHouse, TheLedgerGoesOnWhereItStoodAndWithoutAGap) {
  const storage::LedgerHead before = house_.Head();
  EXPECT_EQ(before.epoch, 2u);
  ASSERT_OK(house_->revoke.Token(House::Anyone(),
                                 old_.notes.at("live.access.ada"), ""));
  EXPECT_EQ(house_.Verdict(old_.notes.at("live.access.ada")), "TOKEN_REVOKED");
  EXPECT_EQ(house_.Head().sequence, before.sequence + 1);
  EXPECT_EQ(house_->aftermath->revocations.applied().sequence,
            before.sequence + 1);
}

TEST_P(OldHouse, SlotsOfStatusListsSayWhatTheySaid) {
  const auto bit = [this](const std::string& name, const std::string& token) {
    const auto status =
        status_list::ReadStatusReference(house_.Claims(token).extra_json);
    if (!status.has_value()) return name + " names no slot";
    const auto list = status_list::ListOf(kIssuer, status->uri);
    const auto copy = house_->aftermath->status_lists.CopyOf(*list);
    if (!copy.has_value()) return name + " names no list";
    const auto byte = static_cast<unsigned>(copy->bytes[status->index / 8]);
    return std::string((byte >> (status->index % 8)) & 1 ? "1" : "0");
  };
  EXPECT_EQ(bit("new", house_.SignIn("ada").access_token), "0");
  if (old_.version < 2) return;  // there were no lists
  const auto live = Each("live.access.", bit);
  EXPECT_EQ(live, All(live, "0"));
  for (const auto& [name, token] : old_.NotesBelow("ended.access.")) {
    if (name == "revoked_key") continue;  // is not signed by us any more
    EXPECT_EQ(bit(name, token), "1") << name;
  }
}

}  // namespace
}  // namespace ostiary::testing
