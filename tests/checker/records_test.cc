#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/checker/history.h"
#include "tests/checker/invariants.h"
#include "tests/checker/made_up.h"

// The ledger, the audit log, the keys.
namespace ostiary::checker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Records : public ::testing::Test {
 protected:
  std::set<std::string> Names() {
    std::set<std::string> names;
    for (const Violation& violation :
         Judge(History(history_.operations()).operations(), {})) {
      names.insert(violation.name);
    }
    return names;
  }
  void Row(std::int64_t sequence, const std::string& entry,
           const std::string& key, std::uint32_t epoch = 1) {
    history_.Add({.process = "reading",
                  .kind = Kind::kLedgerRow,
                  .key = key,
                  .epoch = epoch,
                  .sequence = sequence,
                  .entry = entry});
  }
  void Head(std::int64_t sequence, std::uint32_t epoch = 1,
            const std::string& process = "head") {
    history_.Add({.process = process,
                  .kind = Kind::kLedgerHead,
                  .epoch = epoch,
                  .sequence = sequence});
  }
  void Audit(const std::string& action, const std::string& session) {
    history_.Add({.kind = Kind::kAuditRow,
                  .account = "ada",
                  .session = session,
                  .token_id = session + "t1",
                  .action = action});
  }
  void Published(const std::string& key) {
    history_.Add({.kind = Kind::kKeyPublished, .key = key});
  }
  void SignInUnder(const std::string& session, const std::string& key) {
    history_.SignIn(session);
    Operation op = history_.operations().back();
    op.start = 0;
    op.end = kNever;
    op.session += "k";
    op.token_id += "k";
    op.refresh += "k";
    op.key = key;
    op.start_time = op.end_time = 0;
    history_.Add(op);
  }

  MadeUp history_;
};

TEST_F(Records, LedgerInOrderPasses) {
  history_.RevokeSession("a").sequence = 1;
  history_.RevokeToken("b", 1).sequence = 2;
  Row(1, "session", "a");
  Row(2, "token", "bt1");
  Head(2);
  history_.Restart();
  Row(3, "account", "ada", 2);
  Head(3, 2);
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(Records, GapInTheLedgerIsNoticed) {
  Row(1, "session", "a");
  Row(3, "session", "b");
  EXPECT_THAT(Names(), ElementsAre("ledger_in_order"));
}

TEST_F(Records, LedgerThatGoesBackIsNoticed) {
  Row(2, "session", "a");
  Row(1, "session", "b");
  EXPECT_THAT(Names(), ElementsAre("ledger_in_order"));
}

TEST_F(Records, HeadThatGoesBackIsNoticed) {
  Head(7);
  Head(6);
  EXPECT_THAT(Names(), ElementsAre("ledger_in_order"));
}

TEST_F(Records, NewEpochMayFollowAnyHead) {
  Head(7);
  Head(7, 2);
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(Records, TicketThatIsLostInARestartIsNoticed) {
  history_.RevokeSession("a").sequence = 4;
  history_.Restart();
  Head(3, 0);
  EXPECT_THAT(Names(), ElementsAre("ledger_in_order"));
}

TEST_F(Records, RowOfTwoMeaningsIsNoticed) {
  Row(1, "session", "a");
  history_.Add({.process = "another",
                .kind = Kind::kLedgerRow,
                .key = "b",
                .epoch = 1,
                .sequence = 1,
                .entry = "session"});
  EXPECT_THAT(Names(), ElementsAre("ledger_in_order"));
}

TEST_F(Records, TicketOfSomebodyElsesRowIsNoticed) {
  Operation& revoked = history_.RevokeSession("a");
  revoked.sequence = 1;
  revoked.epoch = 1;
  Row(1, "session", "b");
  EXPECT_THAT(Names(), ElementsAre("ticket_has_its_row"));
}

TEST_F(Records, TwoRevocationsWithOneTicketAreNoticed) {
  history_.RevokeSession("a").sequence = 1;
  history_.RevokeSession("b").sequence = 1;
  EXPECT_THAT(Names(), ElementsAre("ticket_has_its_row"));
}

TEST_F(Records, TicketBeyondTheLedgerIsNoticed) {
  Operation& revoked = history_.RevokeSession("a");
  revoked.sequence = 2;
  revoked.epoch = 1;
  Row(1, "session", "b");
  EXPECT_THAT(Names(), ElementsAre("ticket_has_its_row"));
}

TEST_F(Records, ChangesWithTheirAuditRowsPass) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  history_.RevokeSession("a");
  Audit("session.sign_in", "a");
  Audit("session.revoke", "a");
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(Records, ChangeWithoutAnAuditRowIsNoticed) {
  history_.SignIn("a");
  history_.RevokeSession("a");
  Audit("session.sign_in", "a");
  EXPECT_THAT(Names(), ElementsAre("audit_row_exists"));
}

TEST_F(Records, TwoChangesWithOneAuditRowAreNoticed) {
  history_.OfAccount(Kind::kRevokeAll);
  history_.OfAccount(Kind::kRevokeAll);
  Audit("session.revoke_all", "");
  EXPECT_THAT(Names(), ElementsAre("audit_row_exists"));
}

TEST_F(Records, KeyPublishedForItsLeadMaySign) {
  Published("first");
  SignInUnder("a", "first");
  Published("second");
  history_.Pass(48 * 3600);
  SignInUnder("b", "second");
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(Records, KeyThatSignsBeforeItsLeadIsNoticed) {
  Published("first");
  Published("second");
  history_.Pass(47 * 3600);
  SignInUnder("b", "second");
  EXPECT_THAT(Names(), ElementsAre("key_was_published"));
}

TEST_F(Records, KeyThatWasNeverPublishedIsNoticed) {
  Published("first");
  SignInUnder("b", "second");
  EXPECT_THAT(Names(), ElementsAre("key_was_published"));
}

TEST_F(Records, SuccessorOfARevokedKeyMaySignAtOnce) {
  Published("first");
  Published("second");
  history_.Add({.kind = Kind::kKeyRevoked, .key = "first"});
  SignInUnder("b", "second");
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace ostiary::checker
