#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "server/base/reason.h"
#include "server/door/errors.h"
#include "tests/server/door/door_house.h"
#include "tests/support/status_matchers.h"

// How the door begins a stream, whatever is streamed.
namespace ostiary::door {
namespace {

using ::ostiary::testing::DoorHouse;
using ::ostiary::testing::HasCode;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kWatch[] = "ostiary.v1.RevocationService/Watch";

class Silent final : public Subscription {
 public:
  Frame Next() override { return nullptr; }
};

class Subscribing : public ::testing::Test {
 protected:
  Subscribing() {
    book_.ServeStream<v1::WatchRequest>(
        kWatch,
        [this](const v1::WatchRequest& request, std::function<void()>)
            -> absl::StatusOr<std::unique_ptr<Subscription>> {
          ++begun_;
          cursor_ = request.cursor();
          if (!fault_.ok()) return fault_;
          return std::make_unique<Silent>();
        });
    door_.emplace(HouseDoor::Parts{house_.house.clock,
                                   house_.house->random,
                                   house_.house->logger,
                                   house_.metrics,
                                   house_.admission,
                                   book_,
                                   house_.store_lane,
                                   house_.password_lane,
                                   house_.slow_lane,
                                   {}});
    door_->Open();
  }

  absl::Status Subscribe(
      const CallContext& context = DoorHouse::OnTheSocket()) {
    v1::WatchRequest request;
    request.set_cursor("here");
    return door_->Subscribe(*door_->Streams().at(0), context, request, [] {})
        .status();
  }

  DoorHouse house_;
  MethodBook book_;
  std::optional<HouseDoor> door_;
  absl::Status fault_;
  int begun_ = 0;
  std::string cursor_;
};

TEST_F(Subscribing, BeginsAStreamWithTheRequest) {
  EXPECT_OK(Subscribe());
  EXPECT_EQ(cursor_, "here");
  EXPECT_THAT(house_.metrics.Render(),
              HasSubstr("ostiary_calls_total{code=\"OK\",method=\"" +
                        std::string(kWatch) + "\"} 1"));
}

TEST_F(Subscribing, AClosedDoorBeginsNone) {
  door_->Close();
  EXPECT_EQ(ReasonOf(Subscribe()), Reason::kNotReady);
  EXPECT_EQ(begun_, 0);
}

TEST_F(Subscribing, WhoMayNotIsRefusedBeforeAnythingIsBegun) {
  EXPECT_EQ(ReasonOf(Subscribe(DoorHouse::OverGrpc())),
            Reason::kUnauthenticated);
  EXPECT_EQ(ReasonOf(Subscribe(DoorHouse::OverGrpc("x.y.z"))),
            Reason::kAccessTokenRejected);
  EXPECT_EQ(begun_, 0);
}

TEST_F(Subscribing, ARefusalOfOursLeavesAsItIs) {
  fault_ = RefuseField("cursor", "must be nicer");
  EXPECT_EQ(ReasonOf(Subscribe()), Reason::kArgumentInvalid);
}

TEST_F(Subscribing, WhatWentWrongInsideStaysInside) {
  fault_ = absl::InternalError("disk /dev/sda1 on fire");
  const absl::Status status = Subscribe();
  EXPECT_THAT(status, HasCode(absl::StatusCode::kInternal));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("sda1")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("Incident"));
}

TEST_F(Subscribing, AStreamIsNoCall) {
  EXPECT_EQ(door_->Find(kWatch), nullptr);
  EXPECT_TRUE(door_->Methods().empty());
  ASSERT_EQ(door_->Streams().size(), 1u);
  EXPECT_EQ(door_->Streams()[0]->name, kWatch);
  EXPECT_EQ(door_->NewRequest(*door_->Streams()[0])->GetTypeName(),
            "ostiary.v1.WatchRequest");
}

// Mistakes in the program, seen at its first start.
TEST(MethodBookTest, AStreamWithoutARowOrServedTwiceEndsTheProcess) {
  const auto subscribe = [](const v1::WatchRequest&, std::function<void()>)
      -> absl::StatusOr<std::unique_ptr<Subscription>> { return nullptr; };
  MethodBook book;
  book.ServeStream<v1::WatchRequest>(kWatch, subscribe);
  EXPECT_DEATH(
      book.ServeStream<v1::WatchRequest>("ostiary.v1.No/Such", subscribe),
      "has no row");
  EXPECT_DEATH(book.ServeStream<v1::WatchRequest>(kWatch, subscribe),
               "served twice");
}

}  // namespace
}  // namespace ostiary::door
