#include "tests/storage/conformance/conformance.h"

namespace ostiary::storage::conformance {
namespace {

using ::ostiary::testing::HasCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST_P(StoreConformance, AKeyComesBackFieldByField) {
  KeyRow bare;
  bare.key_id = "bare";
  const auto insert = [&](const KeyRow& row) {
    return Write([&](WriteTx& tx) { return tx.keys().Insert(row); });
  };
  const auto find = [&](const std::string& key_id) {
    return Read([&](ReadTx& tx) { return tx.keys().Find(key_id); });
  };
  ASSERT_OK(insert(SealedKeyOf(1)));
  ASSERT_OK(insert(bare));
  EXPECT_THAT(find("key-1"), Optional(SealedKeyOf(1)));
  EXPECT_THAT(find("bare"), Optional(bare));
  EXPECT_EQ(find("KEY-1"), std::nullopt);
  EXPECT_THAT(insert(SealedKeyOf(1)),
              HasCode(absl::StatusCode::kAlreadyExists));
}

TEST_P(StoreConformance, KeysOfAPurposeAreListedOldestFirst) {
  KeyRow refresh = SealedKeyOf(4);
  refresh.purpose = "refresh";
  ASSERT_OK(Write([&](WriteTx& tx) {
    for (const KeyRow& row :
         {SealedKeyOf(3), SealedKeyOf(1), SealedKeyOf(2), refresh}) {
      const absl::Status inserted = tx.keys().Insert(row);
      if (!inserted.ok()) return inserted;
    }
    return absl::OkStatus();
  }));
  const auto list = [&](const std::string& purpose) {
    return Read([&](ReadTx& tx) { return tx.keys().List(purpose); });
  };
  EXPECT_THAT(list("access"),
              ElementsAre(SealedKeyOf(1), SealedKeyOf(2), SealedKeyOf(3)));
  EXPECT_THAT(list("refresh"), ElementsAre(refresh));
  EXPECT_THAT(list("none"), IsEmpty());
}

TEST_P(StoreConformance, AKeyIsReplacedAndDeleted) {
  const auto update = [&](const KeyRow& row) {
    return Write([&](WriteTx& tx) { return tx.keys().Update(row); });
  };
  const auto remove = [&] {
    return WriteAndGet([](WriteTx& tx) { return tx.keys().Delete("key-1"); });
  };
  EXPECT_THAT(update(SealedKeyOf(1)), HasCode(absl::StatusCode::kNotFound));
  ASSERT_OK(
      Write([](WriteTx& tx) { return tx.keys().Insert(SealedKeyOf(1)); }));
  KeyRow row = SealedKeyOf(9);
  row.key_id = "key-1";
  row.purpose = "refresh";
  row.algorithm = "HS256";
  row.state = "revoked";
  row.sealed = std::string(64 * 1024, '\x80');
  row.public_jwk.clear();
  row.retire_time = absl::InfinitePast();
  EXPECT_OK(update(row));
  EXPECT_THAT(Read([](ReadTx& tx) { return tx.keys().Find("key-1"); }),
              Optional(row));
  EXPECT_TRUE(remove());
  EXPECT_FALSE(remove());
}

TEST_P(StoreConformance, AuditRowsComeBackInOrderWithRisingIds) {
  ASSERT_OK(Write([](WriteTx& tx) {
    for (std::uint32_t i = 1; i <= 3; ++i) {
      const absl::Status appended = tx.audit().Append(EventOf(i));
      if (!appended.ok()) return appended;
    }
    return tx.audit().Append(AuditRow{});
  }));
  const auto after = [&](std::int64_t id, std::size_t limit) {
    return Read([&](ReadTx& tx) { return tx.audit().After(id, limit); });
  };
  std::vector<AuditRow> rows = after(0, 10);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_LT(rows[0].audit_id, rows[1].audit_id);
  EXPECT_LT(rows[2].audit_id, rows[3].audit_id);
  EXPECT_THAT(after(rows[1].audit_id, 1), ElementsAre(rows[2]));
  EXPECT_THAT(after(rows[3].audit_id, 10), IsEmpty());
  for (std::uint32_t i = 1; i <= 3; ++i) {
    AuditRow expected = EventOf(i);
    expected.audit_id = rows[i - 1].audit_id;
    EXPECT_EQ(rows[i - 1], expected);
  }
}

TEST_P(StoreConformance, AuditIdsRiseAlsoAfterEverythingWasDeleted) {
  const auto append = [&](std::uint32_t number) {
    return Write(
        [&](WriteTx& tx) { return tx.audit().Append(EventOf(number)); });
  };
  const auto all = [&] {
    return Read([](ReadTx& tx) { return tx.audit().After(0, 100); });
  };
  const auto remove = [&](absl::Time before, std::size_t limit) {
    return WriteAndGet(
        [&](WriteTx& tx) { return tx.audit().DeleteBefore(before, limit); });
  };
  for (std::uint32_t i = 1; i <= 4; ++i) ASSERT_OK(append(i));
  const std::int64_t last = all().back().audit_id;
  EXPECT_EQ(remove(EventOf(4).time, 2), 2);
  EXPECT_EQ(remove(EventOf(4).time, 10), 1) << "the fourth is not before";
  EXPECT_EQ(all().size(), 1u);
  EXPECT_EQ(remove(absl::InfiniteFuture(), 10), 1);
  ASSERT_OK(append(5));
  EXPECT_GT(all().front().audit_id, last);
}

TEST_P(StoreConformance, AFactIsPutFoundAndReplaced) {
  const auto put = [&](const std::string& name, const std::string& value) {
    return Write([&](WriteTx& tx) { return tx.facts().Put(name, value); });
  };
  const auto find = [&](const std::string& name) {
    return Read([&](ReadTx& tx) { return tx.facts().Find(name); });
  };
  EXPECT_EQ(find("installation"), std::nullopt);
  ASSERT_OK(put("installation", "one"));
  ASSERT_OK(put("empty", ""));
  ASSERT_OK(put("bytes", std::string("\x00\xff", 2)));
  EXPECT_THAT(find("installation"), Optional(std::string("one")));
  EXPECT_THAT(find("empty"), Optional(std::string()));
  EXPECT_THAT(find("bytes"), Optional(std::string("\x00\xff", 2)));
  ASSERT_OK(put("installation", AwkwardText()));
  EXPECT_THAT(find("installation"), Optional(AwkwardText()));
  EXPECT_EQ(find("Installation"), std::nullopt);
}

}  // namespace
}  // namespace ostiary::storage::conformance
