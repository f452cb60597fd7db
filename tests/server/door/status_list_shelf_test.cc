#include "server/door/status_list_shelf.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/jwt/base64url.h"
#include "client/status_list/status_list.h"
#include "gtest/gtest.h"
#include "server/base/ids.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::door {
namespace {

using ::ostiary::testing::House;
using ::ostiary::testing::kIssuer;
using ::ostiary::testing::ValueOf;

constexpr absl::Duration kTtl = absl::Seconds(30);

boost::json::object PartOf(const Document& document, std::size_t index) {
  const std::vector<std::string> parts = absl::StrSplit(document.body, '.');
  return boost::json::parse(*jwt::Base64UrlDecode(parts.at(index))).as_object();
}

class Shelf : public ::testing::Test {
 protected:
  Shelf() {
    row_.list_id = house_->random.NewId(house_.clock.Now());
    row_.slots = 1 << 20;
    row_.close_time = house_.clock.Now() + absl::Hours(1);
    row_.expire_time = house_.clock.Now() + absl::Hours(2);
    book_.Add(row_);
  }
  std::string name() const { return StatusListId(row_.list_id).ToString(); }
  std::shared_ptr<const Document> Get() { return shelf_.Find(name()); }
  int StatusAt(const Document& document, std::uint32_t slot) {
    const auto list = PartOf(document, 1).at("status_list").as_object();
    const auto read = ValueOf(status_list::StatusList::FromMembers(
        list.at("bits").as_int64(), std::string(list.at("lst").as_string())));
    EXPECT_EQ(read.size(), row_.slots);
    return read.At(slot).value();
  }

  House house_;
  status_list::ListBook book_;
  storage::StatusListRow row_;
  StatusListShelf shelf_{{house_.clock, *house_->keys, book_, house_->logger},
                         {kIssuer, kTtl}};
};

TEST_F(Shelf, AListSaysWhereItIsServedAndHowLongItCounts) {
  const auto document = Get();
  ASSERT_NE(document, nullptr);
  EXPECT_EQ(document->content_type, "application/statuslist+jwt");
  EXPECT_EQ(document->cache_control, "public, max-age=30");
  const auto claims = PartOf(*document, 1);
  EXPECT_EQ(claims.at("sub").as_string(),
            absl::StrCat(kIssuer, "/status-lists/", name()));
  EXPECT_EQ(claims.at("iat").as_int64(),
            absl::ToUnixSeconds(house_.clock.Now()));
  EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 120);
  EXPECT_EQ(claims.at("ttl").as_int64(), 30);
  EXPECT_EQ(StatusAt(*document, 5), 0);
}

TEST_F(Shelf, WhatIsNotAListOrIsGoneIsNotServed) {
  for (const std::string& other :
       {std::string(), std::string("stl_"), name() + "x", "sess_" + name(),
        StatusListId(house_->random.NewId(house_.clock.Now())).ToString()}) {
    EXPECT_EQ(shelf_.Find(other), nullptr) << other;
  }
  house_.clock.Advance(absl::Hours(2) - absl::Seconds(1));
  EXPECT_NE(Get(), nullptr);
  house_.clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Get(), nullptr);
}

TEST_F(Shelf, AnUnchangedListIsSignedAgainOnlyAfterHalfItsTtl) {
  const auto first = Get();
  house_.clock.Advance(kTtl / 2 - absl::Milliseconds(1));
  EXPECT_EQ(Get(), first);
  house_.clock.Advance(absl::Milliseconds(1));
  const auto second = Get();
  EXPECT_NE(second, first);
  EXPECT_NE(second->etag, first->etag);
}

TEST_F(Shelf, AChangedListIsSignedAtMostOnceASecond) {
  const auto first = Get();
  book_.Apply({{row_.list_id, 5}});
  house_.clock.Advance(absl::Milliseconds(999));
  EXPECT_EQ(Get(), first);
  house_.clock.Advance(absl::Milliseconds(1));
  const auto second = Get();
  EXPECT_EQ(StatusAt(*second, 5), 1);
  EXPECT_EQ(StatusAt(*second, 4), 0);
  EXPECT_EQ(Get(), second);
}

TEST_F(Shelf, ARevokedKeySignsNoMoreListsAtOnce) {
  const auto first = Get();
  const std::string key_id = house_->keys->Snapshot()->active().key_id();
  EXPECT_EQ(PartOf(*first, 0).at("kid").as_string(), key_id);
  ASSERT_TRUE(house_->keys->Revoke(key_id, "test", storage::AuditRow()).ok());
  EXPECT_NE(PartOf(*Get(), 0).at("kid").as_string(), key_id);
}

}  // namespace
}  // namespace ostiary::door
