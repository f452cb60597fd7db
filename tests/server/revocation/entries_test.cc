#include "server/revocation/entries.h"

#include "gtest/gtest.h"

namespace ostiary::revocation {
namespace {

using storage::LedgerKind;
using storage::LedgerRow;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr absl::Duration kCeiling = absl::Hours(3);
const absl::Time kCommitPlusCeiling = kNow + kCeiling + absl::Minutes(5);

TEST(Entries, TokenIsForgottenFiveMinutesAfterItsOwnExpiry) {
  const LedgerRow row =
      TokenEntry("jti-1", kNow + absl::Minutes(9), kNow, "why");
  EXPECT_EQ(row.kind, LedgerKind::kToken);
  EXPECT_EQ(row.key, "jti-1");
  EXPECT_EQ(row.commit_time, kNow);
  EXPECT_EQ(row.expire_time, kNow + absl::Minutes(14));
  EXPECT_EQ(row.reason, "why");
}

TEST(Entries, SessionIsForgottenAfterTheCeiling) {
  const SessionId id(storage::Key16{1, 2, 3});
  const LedgerRow row = SessionEntry(id, kNow, kCeiling, "why");
  EXPECT_EQ(row.kind, LedgerKind::kSession);
  EXPECT_EQ(row.key, id.ToString());
  EXPECT_EQ(row.commit_time, kNow);
  EXPECT_EQ(row.expire_time, kCommitPlusCeiling);
}

TEST(Entries, AccountCarriesItsGenerationAndIsForgottenAfterTheCeiling) {
  const AccountId id(storage::Key16{4, 5, 6});
  const LedgerRow row =
      AccountEntry(id, (std::uint64_t{2} << 32) + 9, kNow, kCeiling, "why");
  EXPECT_EQ(row.kind, LedgerKind::kAccount);
  EXPECT_EQ(row.key, id.ToString());
  EXPECT_EQ(row.min_generation, (std::uint64_t{2} << 32) + 9);
  EXPECT_EQ(row.expire_time, kCommitPlusCeiling);
}

TEST(Entries, ClientErrsFiveSecondsLate) {
  const LedgerRow row = ClientEntry("cli_default", kNow, kCeiling, "why");
  EXPECT_EQ(row.kind, LedgerKind::kClient);
  EXPECT_EQ(row.key, "cli_default");
  EXPECT_EQ(row.issued_before, kNow + absl::Seconds(5));
  EXPECT_EQ(row.expire_time, kCommitPlusCeiling);
}

TEST(Entries, AllErrsFiveSecondsLate) {
  const LedgerRow row = AllEntry(kNow, kCeiling, "restored");
  EXPECT_EQ(row.kind, LedgerKind::kAll);
  EXPECT_EQ(row.key, "");
  EXPECT_EQ(row.issued_before, kNow + absl::Seconds(5));
  EXPECT_EQ(row.expire_time, kCommitPlusCeiling);
}

}  // namespace
}  // namespace ostiary::revocation
