#include "tests/storage/conformance/conformance.h"

namespace ostiary::storage::conformance {
namespace {

using ::ostiary::testing::HasCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

const Key16 kAda = KeyOf(1000);
const Key16 kBob = KeyOf(2000);

TEST_P(StoreConformance, ASessionComesBackFieldByField) {
  SessionRow row = SessionOf(1, kAda);
  row.revoke_time = Noon() + absl::Hours(5);
  ASSERT_OK(Insert(row));
  EXPECT_THAT(FindSession(row.session_id), Optional(row));
  EXPECT_EQ(FindSession(KeyOf(2)), std::nullopt);
}

TEST_P(StoreConformance, ASessionOfDefaultsComesBackAsItWas) {
  SessionRow row;
  row.session_id = KeyOf(1);
  ASSERT_OK(Insert(row));
  const std::optional<SessionRow> found = FindSession(row.session_id);
  EXPECT_THAT(found, Optional(row));
  EXPECT_FALSE(found->revoked());
}

TEST_P(StoreConformance, LargeSessionValuesComeBackWhole) {
  SessionRow row = SessionOf(1, kAda);
  row.user_agent = std::string(64 * 1024, 'u');
  row.salt = std::string(64 * 1024, '\0');
  ASSERT_OK(Insert(row));
  EXPECT_THAT(FindSession(row.session_id), Optional(row));
}

TEST_P(StoreConformance, ATakenSessionIdIsRefused) {
  ASSERT_OK(Insert(SessionOf(1, kAda)));
  EXPECT_THAT(Insert(SessionOf(1, kBob)),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(FindSession(KeyOf(1)), Optional(SessionOf(1, kAda)));
}

TEST_P(StoreConformance, OnlySessionsThatCanRefreshAreListedAsLive) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const auto ending = [&](std::uint32_t number, absl::Time idle,
                          absl::Time absolute) {
    SessionRow row = SessionOf(number, kAda);
    row.opened_generation = 7;
    row.idle_expire_time = idle;
    row.expire_time = absolute;
    row.revoke_time = absl::InfinitePast();
    return row;
  };
  const absl::Time later = now + absl::Seconds(1);
  const SessionRow live = ending(1, later, later);
  SessionRow revoked = ending(4, later, later);
  revoked.revoke_time = now - absl::Seconds(1);
  SessionRow below_the_floor = ending(5, later, later);
  below_the_floor.opened_generation = 6;
  for (const SessionRow& row :
       {live, ending(2, now, later), ending(3, later, now), revoked,
        below_the_floor}) {
    ASSERT_OK(Insert(row));
  }
  EXPECT_THAT(Read([&](ReadTx& tx) {
                return tx.sessions().ListLive(kAda, 7, now, 10);
              }),
              ElementsAre(live));
}

TEST_P(StoreConformance, SessionsOfAnAccountAreListedOldestFirst) {
  for (const std::uint32_t number : {3u, 1u, 2u}) {
    ASSERT_OK(Insert(SessionOf(number, kAda)));
  }
  ASSERT_OK(Insert(SessionOf(4, kBob)));
  const auto list = [&](const Key16& account, std::size_t limit) {
    return Read([&](ReadTx& tx) {
      return tx.sessions().ListByAccount(account, limit);
    });
  };
  EXPECT_THAT(
      list(kAda, 10),
      ElementsAre(SessionOf(1, kAda), SessionOf(2, kAda), SessionOf(3, kAda)));
  EXPECT_THAT(list(kAda, 2),
              ElementsAre(SessionOf(1, kAda), SessionOf(2, kAda)));
  EXPECT_THAT(list(KeyOf(9), 10), IsEmpty());
}

TEST_P(StoreConformance, ARotationReplacesEveryFieldOnce) {
  ASSERT_OK(Insert(SessionOf(1, kAda)));
  SessionRow next = SessionOf(1, kAda);
  next.client_id = "cli";
  next.audience = "other";
  next.scope = "read";
  next.minted_scope = "";
  next.user_agent = "curl";
  next.address = "192.0.2.7";
  next.amr = "pwd";
  next.opened_generation = 8;
  next.generation = 2;
  next.retried_in_row = 0;
  next.networks = 5;
  next.salt = "other salt";
  next.refresh_key_id = "rk2";
  next.request_id_hash = "";
  next.create_time = Noon() - absl::Seconds(1);
  next.rotated_at = Noon() + absl::Minutes(1);
  next.minted_at = Noon() + absl::Minutes(2);
  next.access_expire_time = Noon() + absl::Minutes(3);
  next.idle_expire_time = Noon() + absl::Hours(7);
  next.expire_time = Noon() + absl::Hours(8);
  const auto rotate = [&] {
    return WriteAndGet(
        [&](WriteTx& tx) { return tx.sessions().UpdateIf(next, 1); });
  };
  EXPECT_TRUE(rotate());
  EXPECT_FALSE(rotate()) << "its generation has moved on";
  EXPECT_THAT(FindSession(KeyOf(1)), Optional(next));
}

TEST_P(StoreConformance, ARotationThatLostChangesNothing) {
  const SessionRow row = SessionOf(1, kAda);
  ASSERT_OK(Insert(row));
  SessionRow next = row;
  next.generation = 2;
  next.scope = "changed";
  const auto rotate = [&](const SessionRow& to, std::uint32_t expected) {
    return WriteAndGet(
        [&](WriteTx& tx) { return tx.sessions().UpdateIf(to, expected); });
  };
  EXPECT_FALSE(rotate(next, 2));
  EXPECT_FALSE(rotate(next, 0));
  SessionRow missing = next;
  missing.session_id = KeyOf(2);
  EXPECT_FALSE(rotate(missing, 1));
  SessionRow stolen = next;
  stolen.account_id = kBob;
  EXPECT_FALSE(rotate(stolen, 1)) << "a session does not change hands";
  EXPECT_THAT(FindSession(KeyOf(1)), Optional(row));
}

TEST_P(StoreConformance, ARevokedSessionCannotRotateOrBeRevokedAgain) {
  SessionRow row = SessionOf(1, kAda);
  ASSERT_OK(Insert(row));
  const auto revoke = [&](absl::Time now) {
    return WriteAndGet(
        [&](WriteTx& tx) { return tx.sessions().Revoke(KeyOf(1), now); });
  };
  EXPECT_TRUE(revoke(Noon()));
  EXPECT_FALSE(revoke(Noon() + absl::Hours(1)));
  SessionRow next = row;
  next.generation = 2;
  EXPECT_FALSE(WriteAndGet(
      [&](WriteTx& tx) { return tx.sessions().UpdateIf(next, 1); }));
  row.revoke_time = Noon();
  EXPECT_THAT(FindSession(KeyOf(1)), Optional(row));
  EXPECT_FALSE(WriteAndGet(
      [](WriteTx& tx) { return tx.sessions().Revoke(KeyOf(2), Noon()); }));
}

TEST_P(StoreConformance, ARotationMayRevokeInTheSameStep) {
  SessionRow row = SessionOf(1, kAda);
  ASSERT_OK(Insert(row));
  row.revoke_time = Noon();
  EXPECT_TRUE(
      WriteAndGet([&](WriteTx& tx) { return tx.sessions().UpdateIf(row, 1); }));
  EXPECT_TRUE(FindSession(KeyOf(1))->revoked());
}

TEST_P(StoreConformance, DeletingByAccountLeavesTheOthers) {
  ASSERT_OK(Insert(SessionOf(1, kAda)));
  ASSERT_OK(Insert(SessionOf(2, kAda)));
  ASSERT_OK(Insert(SessionOf(3, kBob)));
  const auto remove = [&] {
    return WriteAndGet(
        [](WriteTx& tx) { return tx.sessions().DeleteByAccount(kAda); });
  };
  EXPECT_EQ(remove(), 2);
  EXPECT_EQ(remove(), 0);
  EXPECT_EQ(FindSession(KeyOf(1)), std::nullopt);
  EXPECT_TRUE(FindSession(KeyOf(3)));
}

TEST_P(StoreConformance, OnlySessionsThatEndedBeforeAreDeleted) {
  SessionRow idle = SessionOf(1, kAda);
  idle.idle_expire_time = Noon() - absl::Seconds(1);
  SessionRow expired = SessionOf(2, kAda);
  expired.expire_time = Noon() - absl::Seconds(1);
  SessionRow revoked = SessionOf(3, kAda);
  revoked.revoke_time = Noon() - absl::Seconds(1);
  SessionRow just_now = SessionOf(4, kAda);
  just_now.revoke_time = Noon();
  const SessionRow live = SessionOf(5, kAda);
  SessionRow endless;
  endless.session_id = KeyOf(6);
  for (const auto& row : {idle, expired, revoked, just_now, live, endless}) {
    ASSERT_OK(Insert(row));
  }
  const auto sweep = [&](absl::Time before, std::size_t limit) {
    return WriteAndGet(
        [&](WriteTx& tx) { return tx.sessions().DeleteEnded(before, limit); });
  };
  EXPECT_EQ(sweep(absl::InfinitePast(), 10), 0);
  EXPECT_EQ(sweep(Noon(), 2), 2);
  EXPECT_EQ(sweep(Noon(), 10), 1);
  EXPECT_EQ(sweep(Noon(), 10), 0);
  EXPECT_THAT(FindSession(KeyOf(4)), Optional(just_now));
  EXPECT_THAT(FindSession(KeyOf(5)), Optional(live));
  EXPECT_EQ(sweep(absl::InfiniteFuture(), 10), 2);
  EXPECT_THAT(FindSession(KeyOf(6)), Optional(endless));
}

}  // namespace
}  // namespace ostiary::storage::conformance
