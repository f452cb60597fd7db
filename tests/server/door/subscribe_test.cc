#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "server/account/roles.h"
#include "server/base/reason.h"
#include "server/door/errors.h"
#include "tests/server/door/door_house.h"
#include "tests/support/status_matchers.h"

// How the door begins a stream, whatever is streamed.
namespace ostiary::door {
namespace {

using ::ostiary::testing::DoorHouse;
using ::ostiary::testing::HasCode;
using ::ostiary::testing::House;
using ::ostiary::testing::kIssuer;
using ::ostiary::testing::kPassword;
using ::ostiary::testing::ValueOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kWatch[] = "ostiary.v1.RevocationService/Watch";

class Silent final : public Subscription {
 public:
  absl::StatusOr<Frame> Next() override { return nullptr; }
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
    return Begin(context).status();
  }
  absl::StatusOr<std::unique_ptr<Subscription>> Begin(
      const CallContext& context) {
    v1::WatchRequest request;
    request.set_cursor("here");
    return door_->Subscribe(*door_->Streams().at(0), context, request, [] {});
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

// What ends a caller's right to a stream ends the stream.
class SubscribingWithAToken : public Subscribing {
 protected:
  SubscribingWithAToken() {
    House& house = house_.house;
    root_ = house.SignUp("root").ToString();
    EXPECT_OK(house->accounts.GrantRole(House::Operator(), root_,
                                        std::string(account::kOperatorRole)));
    token_ =
        ValueOf(house.TrySignIn("root", kPassword, "", kIssuer)).access_token;
    stream_ = ValueOf(Begin(DoorHouse::OverGrpc(token_)));
    EXPECT_OK(stream_->Next());
  }

  Reason Refusal() { return ReasonOf(stream_->Next().status()); }

  std::string root_;
  std::string token_;
  std::unique_ptr<Subscription> stream_;
};

TEST_F(SubscribingWithAToken, EndsWhenTheTokenIsRevoked) {
  EXPECT_OK(house_.house->revoke.Token(House::Anyone(), token_, ""));
  EXPECT_EQ(Refusal(), Reason::kAccessTokenRejected);
}

TEST_F(SubscribingWithAToken, EndsWhenTheTokenExpires) {
  house_.house.clock.Advance(absl::Minutes(15));
  EXPECT_EQ(Refusal(), Reason::kAccessTokenRejected);
}

TEST_F(SubscribingWithAToken, EndsWhenTheRoleIsTakenAway) {
  EXPECT_OK(house_.house->accounts.RevokeRole(
      House::Operator(), root_, std::string(account::kOperatorRole)));
  EXPECT_EQ(Refusal(), Reason::kAccessTokenRejected);
}

TEST_F(SubscribingWithAToken, GoesOnWhenAnotherTokenIsRevoked) {
  const std::string other =
      ValueOf(house_.house.TrySignIn("root", kPassword, "", kIssuer))
          .access_token;
  EXPECT_OK(house_.house->revoke.Token(House::Anyone(), other, ""));
  EXPECT_OK(stream_->Next());
}

// Whose certificate the listener verified needs no token, so none can end it.
TEST_F(SubscribingWithAToken, GoesOnForACertificateWhateverItsTokenIs) {
  CallContext context = DoorHouse::OverGrpc(token_);
  context.certificate_identities = {"shop.example"};
  const auto stream = ValueOf(Begin(context));
  EXPECT_OK(house_.house->revoke.Token(House::Anyone(), token_, ""));
  EXPECT_OK(stream->Next());
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
