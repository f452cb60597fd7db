#include <limits>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/door/messages.h"
#include "tests/support/status_matchers.h"

namespace ostiary::door {
namespace {

using ::google::protobuf::Struct;
using ::google::protobuf::Value;
using ::google::protobuf::util::MessageDifferencer;
using ::ostiary::testing::ValueOf;

constexpr std::size_t kMaxBytes = 8 * 1024;

absl::StatusOr<std::string> ToText(const Struct& object) {
  return StructToJson(object, kMaxBytes, "account.metadata");
}
Struct FromText(const std::string& json) {
  Struct object;
  JsonToStruct(json, object);
  return object;
}
// An object in an object in an object ...
Struct Nested(int levels) {
  Struct object;
  for (int i = 1; i < levels; ++i) {
    Struct outer;
    *(*outer.mutable_fields())["x"].mutable_struct_value() = object;
    object = outer;
  }
  return object;
}

TEST(StructText, EverythingJsonCanSaySurvivesTheRoundTrip) {
  Struct object;
  auto& fields = *object.mutable_fields();
  fields["null"].set_null_value(google::protobuf::NULL_VALUE);
  fields["yes"].set_bool_value(true);
  fields["text"].set_string_value("quote \" slash \\ line \n \xc3\xa9");
  fields["nothing"].set_string_value("");
  fields[""].set_string_value("an empty name");
  for (const double number : {0.0, -1.0, 1.5, 1e300, 5e-324, 9007199254740993.0,
                              std::numeric_limits<double>::max(), -0.1}) {
    fields["numbers"].mutable_list_value()->add_values()->set_number_value(
        number);
  }
  fields["empty list"].mutable_list_value();
  fields["empty object"].mutable_struct_value();
  (*fields["object"].mutable_struct_value()->mutable_fields())["deep"]
      .set_bool_value(false);
  const Struct back = FromText(ValueOf(ToText(object)));
  EXPECT_TRUE(MessageDifferencer::Equals(back, object))
      << back.ShortDebugString();
}

TEST(StructText, EmptyObjectIsOne) {
  EXPECT_EQ(ValueOf(ToText(Struct())), "{}");
  EXPECT_EQ(FromText("{}").fields_size(), 0);
}

TEST(StructText, NumbersThatJsonCannotSayAreRefused) {
  for (const double number : {std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()}) {
    Struct object;
    (*object.mutable_fields())["n"].set_number_value(number);
    EXPECT_EQ(ReasonOf(ToText(object).status()), Reason::kArgumentInvalid);
  }
}

TEST(StructText, ValueOfNoKindIsRefused) {
  Struct object;
  (*object.mutable_fields())["n"];
  EXPECT_EQ(ReasonOf(ToText(object).status()), Reason::kArgumentInvalid);
}

TEST(StructText, DepthIsBoundedAndWhatPassesComesBack) {
  int deepest = 0;
  for (int levels = 1; levels <= 64; ++levels) {
    const Struct object = Nested(levels);
    const auto text = ToText(object);
    if (!text.ok()) break;
    deepest = levels;
    EXPECT_TRUE(MessageDifferencer::Equals(FromText(*text), object)) << levels;
  }
  EXPECT_GE(deepest, 16);
  EXPECT_LE(deepest, 18);
}

TEST(StructText, ListsCountAsDepth) {
  Struct object;
  Value* value = &(*object.mutable_fields())["x"];
  for (int i = 0; i < 40; ++i)
    value = value->mutable_list_value()->add_values();
  value->set_bool_value(true);
  EXPECT_EQ(ReasonOf(ToText(object).status()), Reason::kArgumentInvalid);
}

TEST(StructText, SizeIsBoundedAsText) {
  Struct object;
  (*object.mutable_fields())["x"].set_string_value(
      std::string(kMaxBytes - 8, 'a'));
  EXPECT_EQ(ValueOf(ToText(object)).size(), kMaxBytes);
  (*object.mutable_fields())["x"].set_string_value(
      std::string(kMaxBytes - 7, 'a'));
  const absl::Status status = ToText(object).status();
  ASSERT_EQ(FieldViolationsOf(status).size(), 1u);
  EXPECT_EQ(FieldViolationsOf(status)[0].field, "account.metadata");
}

TEST(StructText, TextThatIsNoObjectGivesAnEmptyOne) {
  for (const char* text : {"", "[]", "1", "{", "{} {}", "{\"a\":}"}) {
    EXPECT_EQ(FromText(text).fields_size(), 0) << text;
  }
}

TEST(Messages, TimesAndDurationsAreCanonical) {
  google::protobuf::Timestamp time;
  SetTime(absl::FromUnixMillis(-500), time);
  EXPECT_EQ(time.seconds(), -1);
  EXPECT_EQ(time.nanos(), 500000000);
  google::protobuf::Duration duration;
  SetDuration(absl::Milliseconds(899250), duration);
  EXPECT_EQ(duration.seconds(), 899);
  EXPECT_EQ(duration.nanos(), 250000000);
}

TEST(Messages, TakenSecretIsNoLongerInTheField) {
  std::string field = "quill anchor";
  const SecretBytes secret = TakeSecret(field);
  EXPECT_EQ(secret.Reveal(), "quill anchor");
  EXPECT_EQ(field, "");
}

}  // namespace
}  // namespace ostiary::door
