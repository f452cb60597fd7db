#include "server/client_app/clients.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/client_app/scope.h"
#include "tests/support/status_matchers.h"

namespace ostiary::client_app {
namespace {

using ::ostiary::testing::ValueOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

const Clients& Default() {
  static const auto& clients =
      *new Clients({"api", {"api", "https://id.example"}, {"read", "write"}});
  return clients;
}

TEST(Clients, NamingNothingIsThePublicClientWithTheDefaultAudienceAndNoScope) {
  const Grant grant = ValueOf(Default().Decide({"", "", ""}));
  EXPECT_EQ(grant.client_id, "cli_default");
  EXPECT_EQ(grant.audience, "api");
  EXPECT_EQ(grant.scope, "");
}

TEST(Clients, UnknownClientIsRefused) {
  for (const char* id : {"cli_other", "CLI_DEFAULT", "cli_default ", "x"}) {
    EXPECT_EQ(ReasonOf(Default().Decide({id, "", ""}).status()),
              Reason::kClientUnknown);
  }
}

TEST(Clients, AudienceIsOneOfTheListExactly) {
  EXPECT_EQ(ValueOf(Default().Decide({"", "https://id.example", ""})).audience,
            "https://id.example");
  for (const char* audience : {"API", "api ", "https://id.example/", "*"}) {
    EXPECT_EQ(ReasonOf(Default().Decide({"", audience, ""}).status()),
              Reason::kAudienceNotAllowed)
        << audience;
  }
}

TEST(Clients, NothingIsGrantedSilentlyNarrowerThanAskedFor) {
  EXPECT_EQ(ValueOf(Default().Decide({"", "", "write read write"})).scope,
            "write read");
  for (const char* scope : {"read admin", "admin", "READ", "read\twrite"}) {
    EXPECT_EQ(ReasonOf(Default().Decide({"", "", scope}).status()),
              Reason::kScopeNotAllowed)
        << scope;
  }
}

TEST(Scope, IsSplitAtSpacesEachOnce) {
  EXPECT_THAT(ParseScope("b a  b"), Optional(ElementsAre("b", "a")));
  EXPECT_THAT(ParseScope(""), Optional(IsEmpty()));
  EXPECT_EQ(FormatScope({"b", "a"}), "b a");
}

TEST(Scope, HoldsOnlyTheCharactersOfRfc6749) {
  EXPECT_TRUE(ParseScope("!#[]~a:b/c").has_value());
  for (const std::string& text :
       {std::string("a\"b"), std::string("a\\b"), std::string("a\x7f"),
        std::string("\xc3\xa9"), std::string("a\nb"), std::string("a\0", 2)}) {
    EXPECT_FALSE(ParseScope(text).has_value());
  }
}

TEST(Scope, TextOverAKilobyteIsNone) {
  EXPECT_TRUE(ParseScope(std::string(1024, 'a')).has_value());
  EXPECT_FALSE(ParseScope(std::string(1025, 'a')).has_value());
}

TEST(Scope, NothingIsWithinAnything) {
  EXPECT_TRUE(IsWithin({}, {}));
  EXPECT_TRUE(IsWithin({"a"}, {"b", "a"}));
  EXPECT_FALSE(IsWithin({"a", "c"}, {"a", "b"}));
  EXPECT_FALSE(IsWithin({"a"}, {}));
}

}  // namespace
}  // namespace ostiary::client_app
