#include "server/door/watch_frames.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/account/events.h"
#include "server/revocation/cursor.h"
#include "server/revocation/entries.h"
#include "tests/server/door/feed_reader.h"
#include "tests/server/key/ring_fixture.h"
#include "tests/server/revocation/small_ledger.h"

namespace ostiary::door {
namespace {

using ::ostiary::testing::FeedReader;
using ::ostiary::testing::Parsed;
using ::ostiary::testing::RingFixture;
using ::ostiary::testing::SmallLedger;
using ::ostiary::testing::TimeOf;
using ::ostiary::testing::TokenRow;
using revocation::Fingerprint;
using storage::LedgerRow;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'040);
const absl::Time kAsOf = kNow + absl::Milliseconds(1);
constexpr absl::Duration kCeiling = absl::Minutes(15);
constexpr std::size_t kMiB = std::size_t{1} << 20;
const AccountId kAda(storage::Key16{1});
const SessionId kSession(storage::Key16{3});

// What a verifier keeps, for looking at.
class Kept final : public revocation::RevokedSet::Visitor {
 public:
  void OnFingerprint(Fingerprint fingerprint, absl::Time forget) override {
    fingerprints.emplace_back(fingerprint.value, forget);
  }
  void OnAccount(absl::string_view, std::uint64_t, absl::Time) override {
    ++others;
  }
  void OnClient(absl::string_view, absl::Time, absl::Time) override {
    ++others;
  }
  void OnAll(absl::Time, absl::Time) override { ++others; }
  void OnKey(absl::string_view) override { ++others; }

  std::vector<std::pair<std::uint64_t, absl::Time>> fingerprints;
  int others = 0;
};

class WatchFramesTest : public ::testing::Test {
 protected:
  std::vector<Frame> Snapshot(SnapshotForm form) const {
    return SnapshotFrames(ledger_.set, ledger_.log.head(), kAsOf, form);
  }
  static void Read(const std::vector<Frame>& frames, FeedReader& reader) {
    reader.key_sets = 1;  // as if they had come
    for (const Frame& frame : frames) reader.Apply(Parsed(frame));
  }
  // As many tokens and sessions, revoked over a day.
  void Fill(int count) {
    std::mt19937_64 random(7);
    std::vector<LedgerRow> rows;
    for (int i = 0; i < count; ++i) {
      LedgerRow row =
          TokenRow(absl::StrCat(absl::Hex(random(), absl::kZeroPad16), "-", i),
                   kNow + absl::Seconds(static_cast<int>(random() % 86400)));
      if (i % 4 == 0) row.kind = storage::LedgerKind::kSession;
      rows.push_back(row);
      rows_.emplace(i % 4 == 0 ? Fingerprint::OfSession(row.key).value
                               : Fingerprint::OfToken(row.key).value,
                    row.expire_time);
    }
    ledger_.Commit(std::move(rows));
  }

  SmallLedger ledger_{10};
  // Not on the stack: ASan does not align it there as the set asks for.
  const std::unique_ptr<FeedReader> reader_ = std::make_unique<FeedReader>();
  std::map<std::uint64_t, absl::Time> rows_;  // by fingerprint
};

class SnapshotTest : public WatchFramesTest,
                     public ::testing::WithParamInterface<SnapshotForm> {};

INSTANTIATE_TEST_SUITE_P(Forms, SnapshotTest,
                         ::testing::Values(SnapshotForm::kReadable,
                                           SnapshotForm::kCompact),
                         [](const auto& param) {
                           return param.param == SnapshotForm::kCompact
                                      ? "Compact"
                                      : "Readable";
                         });

TEST_P(SnapshotTest, NothingRevokedIsOneLastPart) {
  const std::vector<Frame> frames = Snapshot(GetParam());
  ASSERT_EQ(frames.size(), 1u);
  const v1::WatchResponse response = Parsed(frames[0]);
  EXPECT_EQ(response.snapshot().entries_size(), 0);
  EXPECT_EQ(response.snapshot().fingerprint_sets_size(), 0);
  EXPECT_TRUE(response.snapshot().last());
  EXPECT_EQ(response.snapshot().epoch(), 1u);
  EXPECT_EQ(response.snapshot().sequence(), 0u);
  EXPECT_EQ(response.snapshot().cursor(),
            revocation::FormatCursor(ledger_.log.head()));
  EXPECT_EQ(TimeOf(response.snapshot().as_of()), kAsOf);
}

TEST_P(SnapshotTest, EveryKindHitsItsTokensAndNoOthers) {
  LedgerRow key;
  key.kind = storage::LedgerKind::kKey;
  key.key = "key-1";
  ledger_.Commit({revocation::TokenEntry("jti-1", kNow + kCeiling, kNow, ""),
                  revocation::SessionEntry(kSession, kNow, kCeiling, ""),
                  revocation::AccountEntry(kAda, 6, kNow, kCeiling, ""),
                  revocation::ClientEntry("cli_shop", kNow, kCeiling, ""),
                  revocation::AllEntry(kNow - absl::Hours(1), kCeiling, ""),
                  key});
  FeedReader& reader = *reader_;
  Read(Snapshot(GetParam()), reader);
  EXPECT_EQ(reader.position, 6u);
  const auto hits = [&](auto change) {
    revocation::TokenMarks token;
    token.token = Fingerprint::OfToken("jti-2");
    token.session = Fingerprint::OfSession("sess_2");
    token.account_id = "acct_2";
    token.generation = 6;
    token.client_id = "cli_default";
    token.issue_time = kNow;
    token.key_id = "key-2";
    change(token);
    return reader.set.Hits(token);
  };
  const std::string ada = kAda.ToString();
  const absl::Duration late = revocation::kIssuedBeforeMargin;
  EXPECT_FALSE(hits([](auto&) {}));
  EXPECT_TRUE(hits([](auto& t) { t.token = Fingerprint::OfToken("jti-1"); }));
  EXPECT_FALSE(
      hits([](auto& t) { t.token = Fingerprint::OfSession("jti-1"); }));
  EXPECT_TRUE(hits([](auto& t) {
    t.session = Fingerprint::OfSession(kSession.ToString());
  }));
  EXPECT_FALSE(hits([&](auto& t) { t.account_id = ada; }));
  EXPECT_TRUE(hits([&](auto& t) { t.account_id = ada, t.generation = 5; }));
  EXPECT_TRUE(hits([](auto& t) { t.client_id = "cli_shop"; }));
  EXPECT_TRUE(hits(
      [&](auto& t) { t.client_id = "cli_shop", t.issue_time = kNow + late; }));
  EXPECT_FALSE(hits([&](auto& t) {
    t.client_id = "cli_shop", t.issue_time = kNow + late + absl::Seconds(1);
  }));
  EXPECT_TRUE(hits([](auto& t) { t.issue_time = kNow - absl::Hours(1); }));
  EXPECT_TRUE(hits([](auto& t) { t.key_id = "key-1"; }));
}

// Lost: un-revoked. Forgotten too early: un-revoked. Kept for hours too long:
// memory.
TEST_P(SnapshotTest, NoneOfManyIsLostOrForgottenTooEarly) {
  constexpr int kCount = 200'000;
  Fill(kCount);
  ASSERT_EQ(rows_.size(), static_cast<std::size_t>(kCount));
  FeedReader& reader = *reader_;
  Read(Snapshot(GetParam()), reader);
  EXPECT_EQ(reader.snapshots, 1);
  Kept kept;
  reader.set.Visit(kept);
  EXPECT_EQ(kept.fingerprints.size(), rows_.size());
  int unknown = 0, early = 0, late = 0;
  for (const auto& [fingerprint, forget] : kept.fingerprints) {
    const auto row = rows_.find(fingerprint);
    if (row == rows_.end()) {
      ++unknown;
      continue;
    }
    early += forget < row->second ? 1 : 0;
    late += forget > row->second + absl::Minutes(50) ? 1 : 0;
  }
  EXPECT_EQ(unknown, 0);
  EXPECT_EQ(early, 0);
  EXPECT_EQ(late, 0);
}

TEST_P(SnapshotTest, ManyCutIntoPartsThatEveryClientTakes) {
  Fill(100'000);
  for (int i = 0; i < 5000; ++i) {
    ledger_.Commit({revocation::ClientEntry(
        absl::StrCat("cli_", std::string(200, 'x'), i), kNow, kCeiling, "")});
  }
  const std::vector<Frame> frames = Snapshot(GetParam());
  ASSERT_GT(frames.size(), 1u);
  for (const Frame& frame : frames) {
    EXPECT_LT(frame->size(), kMiB);
    const v1::WatchResponse part = Parsed(frame);
    EXPECT_EQ(part.snapshot().epoch(), 1u);
    EXPECT_EQ(part.snapshot().sequence(), 105'000u);
    EXPECT_EQ(part.snapshot().last(), frame == frames.back());
    EXPECT_EQ(part.snapshot().has_as_of(), frame == frames.back());
    EXPECT_EQ(part.snapshot().cursor().empty(), frame != frames.back());
  }
}

// All forgotten in the same minute: a set is cut, too.
TEST_F(WatchFramesTest, OneMinutesRowsAreCutIntoParts) {
  std::vector<LedgerRow> rows;
  for (int i = 0; i < 120'000; ++i)
    rows.push_back(TokenRow(absl::StrCat("t", i), kNow));
  ledger_.Commit(std::move(rows));
  const std::vector<Frame> frames = Snapshot(SnapshotForm::kCompact);
  EXPECT_GT(frames.size(), 2u);
  for (const Frame& frame : frames) EXPECT_LT(frame->size(), kMiB);
  FeedReader& reader = *reader_;
  Read(frames, reader);
  EXPECT_EQ(reader.set.size(), 120'000u);
}

// The proof that the issue asks for; the time is measured where nothing else
// runs, not here.
TEST_F(WatchFramesTest, AMillionEntriesTakeAtMostFiveMegabytes) {
  constexpr int kCount = 1'000'000;
  Fill(kCount);
  const std::vector<Frame> frames = Snapshot(SnapshotForm::kCompact);
  std::size_t total = 0;
  for (const Frame& frame : frames) {
    EXPECT_LT(frame->size(), kMiB);
    total += frame->size();
  }
  RecordProperty("snapshot_bytes", static_cast<int>(total));
  EXPECT_LE(total, 5'000'000u);
  FeedReader& reader = *reader_;
  Read(frames, reader);
  EXPECT_EQ(reader.set.size(), rows_.size());
}

TEST_F(WatchFramesTest, ADeltaSaysFromWhereToWhereAndWhat) {
  ledger_.Commit({TokenRow("a", kNow)});
  const storage::LedgerHead head =
      ledger_.Commit({TokenRow("b", kNow + absl::Seconds(1)),
                      revocation::SessionEntry(kSession, kNow, kCeiling, "")});
  const v1::WatchResponse frame =
      Parsed(DeltaFrame(*ledger_.log.After(1, 10), 1, head, kAsOf));
  const v1::RevocationDelta& delta = frame.delta();
  EXPECT_EQ(delta.epoch(), 1u);
  EXPECT_EQ(delta.from(), 1u);
  EXPECT_EQ(delta.to(), 3u);
  EXPECT_EQ(delta.cursor(), revocation::FormatCursor(head));
  EXPECT_EQ(TimeOf(delta.as_of()), kAsOf);
  ASSERT_EQ(delta.entries_size(), 2);
  EXPECT_EQ(delta.entries(0).token_id(), "b");
  EXPECT_EQ(TimeOf(delta.entries(0).forget_time()), kNow + absl::Seconds(1));
  EXPECT_EQ(delta.entries(1).session_id(), kSession.ToString());
}

TEST_F(WatchFramesTest, ADeltaThatIsNotUpToDateDoesNotSayUntilWhen) {
  const storage::LedgerHead head = ledger_.Commit({TokenRow("a", kNow)});
  EXPECT_FALSE(Parsed(DeltaFrame({}, 0, head, absl::InfinitePast()))
                   .delta()
                   .has_as_of());
}

TEST_F(WatchFramesTest, AHeartbeatSaysWhereAndUntilWhen) {
  const storage::LedgerHead head = ledger_.Commit({TokenRow("a", kNow)});
  const v1::WatchResponse frame = Parsed(HeartbeatFrame(head, kAsOf));
  EXPECT_EQ(frame.heartbeat().epoch(), 1u);
  EXPECT_EQ(frame.heartbeat().sequence(), 1u);
  EXPECT_EQ(TimeOf(frame.heartbeat().as_of()), kAsOf);
  EXPECT_EQ(frame.heartbeat().cursor(), revocation::FormatCursor(head));
}

class KeyFrameTest : public RingFixture {};

TEST_F(KeyFrameTest, EveryKeyThatVerifiesIsToldAndNoPrivatePart) {
  const v1::WatchResponse frame = Parsed(KeySetFrame(View()->verifying_keys()));
  std::vector<std::string> told;
  for (const v1::JsonWebKey& key : frame.key_set().keys()) {
    told.push_back(key.kid());
    EXPECT_EQ(key.alg(), "ES256");
    EXPECT_FALSE(key.x().empty());
  }
  EXPECT_THAT(told, ::testing::UnorderedElementsAre(ActiveId(), PreparedId()));
}

}  // namespace
}  // namespace ostiary::door
