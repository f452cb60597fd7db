#include "server/audit/event.h"

#include "gtest/gtest.h"

namespace ostiary::audit {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

TEST(AuditEvent, WhatIsNotSetStaysEmpty) {
  const storage::AuditRow row = Event(action::kSignIn, kOk, kNow).Row();
  storage::AuditRow expected;
  expected.action = "session.sign_in";
  expected.outcome = "ok";
  expected.time = kNow;
  EXPECT_EQ(row, expected);
}

TEST(AuditEvent, SaysWhoFromWhereAboutWhom) {
  const AccountId account(storage::Key16{1});
  const SessionId session(storage::Key16{2});
  const storage::AuditRow row = Event(action::kRefresh, "reused", kNow)
                                    .By("operator", "192.0.2.1")
                                    .About(account)
                                    .About(session)
                                    .Client("cli_default")
                                    .Row();
  EXPECT_EQ(row.actor, "operator");
  EXPECT_EQ(row.address, "192.0.2.1");
  EXPECT_EQ(row.account_id, account.ToString());
  EXPECT_EQ(row.session_id, session.ToString());
  EXPECT_EQ(row.client_id, "cli_default");
}

TEST(AuditEvent, FactsAreOneJsonObjectInTheirOrder) {
  const storage::AuditRow row = Event(action::kRefresh, kOk, kNow)
                                    .With("generation", "7")
                                    .With("presented", "3")
                                    .Row();
  EXPECT_EQ(row.detail, R"({"generation":"7","presented":"3"})");
}

TEST(AuditEvent, NoFactCanBreakOutOfItsString) {
  const storage::AuditRow row =
      Event(action::kRefresh, kOk, kNow)
          .With("reason", std::string("\"},\\\n\x01\0x", 8))
          .Row();
  EXPECT_EQ(row.detail, "{\"reason\":\"\\\"},\\\\\\u000a\\u0001\\u0000x\"}");
}

}  // namespace
}  // namespace ostiary::audit
