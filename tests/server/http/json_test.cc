#include "server/http/json.h"

#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "everything.pb.h"
#include "google/rpc/error_details.pb.h"
#include "ostiary/v1/account_service.pb.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/base/reason.h"
#include "server/http/json_text.h"
#include "tests/support/status_matchers.h"

namespace ostiary::http {
namespace {

using ::ostiary::http::testing::Everything;
using ::ostiary::testing::HasCode;
using ::testing::HasSubstr;
using ::testing::Not;

Everything Parsed(const std::string& text) {
  Everything message;
  EXPECT_OK(ParseJson(text, message)) << text;
  return message;
}

// The field and the description of the refusal, "a.b: expected ...".
std::string Refusal(const std::string& text) {
  Everything message;
  const absl::Status status = ParseJson(text, message);
  EXPECT_THAT(status, HasCode(absl::StatusCode::kInvalidArgument)) << text;
  EXPECT_TRUE(HasReason(status)) << text;
  return std::string(status.message());
}

std::string PrintedByProtobuf(const google::protobuf::Message& message) {
  std::string out;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &out).ok());
  return out;
}

TEST(JsonReaderTest, NamesMayBeCamelOrAsInTheProto) {
  EXPECT_EQ(Parsed(R"({"aString":"x"})").a_string(), "x");
  EXPECT_EQ(Parsed(R"({"a_string":"x"})").a_string(), "x");
}

TEST(JsonReaderTest, IntegersAreExactAsNumberOrString) {
  EXPECT_EQ(Parsed(R"({"anInt64":9007199254740993})").an_int64(),
            9007199254740993);
  EXPECT_EQ(Parsed(R"({"anInt64":"-9223372036854775808"})").an_int64(),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Parsed(R"({"aUint64":18446744073709551615})").a_uint64(),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(Parsed(R"({"anInt32":1e3})").an_int32(), 1000);
  EXPECT_EQ(Parsed(R"({"anInt32":2.0})").an_int32(), 2);
  EXPECT_EQ(Parsed(R"({"anInt32":-0})").an_int32(), 0);
}

TEST(JsonReaderTest, WhatIsNoIntegerOfThatSizeIsRefused) {
  for (const char* const text :
       {R"({"anInt64":1.5})", R"({"anInt64":""})", R"({"anInt64":" 1"})",
        R"({"anInt64":"+1"})", R"({"anInt64":"1e3"})", R"({"anInt64":true})",
        R"({"anInt64":9223372036854775808})", R"({"anInt64":1e300})",
        R"({"anInt32":2147483648})", R"({"aUint32":-1})",
        R"({"aUint64":"18446744073709551616"})", R"({"anInt64":"0x10"})"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("expected an integer")) << text;
  }
}

TEST(JsonReaderTest, DoublesKnowTheirSpecialNames) {
  EXPECT_TRUE(std::isnan(Parsed(R"({"aDouble":"NaN"})").a_double()));
  EXPECT_EQ(Parsed(R"({"aDouble":"-Infinity"})").a_double(),
            -std::numeric_limits<double>::infinity());
  EXPECT_EQ(Parsed(R"({"aDouble":0.1})").a_double(), 0.1);
  EXPECT_EQ(Parsed(R"({"aDouble":"0.25"})").a_double(), 0.25);
  EXPECT_THAT(Refusal(R"({"aDouble":"inf"})"), HasSubstr("expected a number"));
  EXPECT_THAT(Refusal(R"({"aDouble":1e999})"), Not(HasSubstr("1e999")));
  EXPECT_THAT(Refusal(R"({"aFloat":1e39})"), HasSubstr("single precision"));
}

TEST(JsonReaderTest, EnumsGoByNameOrNumber) {
  EXPECT_EQ(Parsed(R"({"colour":"COLOUR_RED"})").colour(), testing::COLOUR_RED);
  EXPECT_EQ(Parsed(R"({"colour":2})").colour(), testing::COLOUR_BLUE);
  EXPECT_THAT(Refusal(R"({"colour":"COLOUR_GREEN"})"),
              HasSubstr("colour: expected the name or number"));
  EXPECT_THAT(Refusal(R"({"colour":7})"), HasSubstr("colour: expected"));
}

TEST(JsonReaderTest, BytesAreBase64InEitherAlphabet) {
  EXPECT_EQ(Parsed(R"({"someBytes":"/+8="})").some_bytes(), "\xff\xef");
  EXPECT_EQ(Parsed(R"({"someBytes":"_-8"})").some_bytes(), "\xff\xef");
  EXPECT_THAT(Refusal(R"({"someBytes":"a b="})"), HasSubstr("base64"));
}

TEST(JsonReaderTest, NullIsAbsentAndValueKeepsIt) {
  const Everything message =
      Parsed(R"({"aString":null,"int32s":null,"firstChoice":null,
                 "secondChoice":4,"value":null})");
  EXPECT_EQ(message.second_choice(), 4);
  EXPECT_TRUE(message.has_value());
  EXPECT_THAT(Refusal(R"({"int32s":[null]})"),
              HasSubstr("int32s[0]: expected an integer"));
}

TEST(JsonReaderTest, UnknownFieldsAreRefusedByTheirPath) {
  EXPECT_THAT(Refusal(R"({"child":{"passwrd":"hunter2"}})"),
              HasSubstr("child.passwrd: there is no such field"));
  EXPECT_THAT(Refusal(R"({"children":[{},{"no\u0000<script>":1}]})"),
              HasSubstr("children[1].no??script?: there is no such field"));
}

TEST(JsonReaderTest, ANameGivenTwiceIsRefused) {
  EXPECT_THAT(Refusal(R"({"aBool":true,"aBool":false})"),
              HasSubstr("a_bool: given twice"));
  EXPECT_THAT(Refusal(R"({"aBool":true,"a_bool":true})"),
              HasSubstr("a_bool: given twice"));
  EXPECT_THAT(Refusal(R"({"aBool":null,"aBool":true})"),
              HasSubstr("a_bool: given twice"));
  EXPECT_THAT(Refusal(R"({"labels":{"a":"1","a":"2"}})"),
              HasSubstr("labels.a: given twice"));
  EXPECT_THAT(Refusal(R"({"metadata":{"x":{"a":1,"a":2}}})"),
              HasSubstr("metadata.x.a: given twice"));
}

TEST(JsonReaderTest, TwoMembersOfAOneofAreRefused) {
  EXPECT_THAT(Refusal(R"({"firstChoice":"","secondChoice":0})"),
              HasSubstr("second_choice: only one member of \"choice\""));
  v1::CreateAccountRequest request;
  EXPECT_THAT(ParseJson(R"({"password":"a","passwordHash":"b"})", request),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST(JsonReaderTest, MapsTakeTheirNamesAsKeys) {
  const Everything message = Parsed(
      R"({"labels":{"a":"1"},"byNumber":{"-5":{"aBool":true}},
          "byTruth":{"true":1,"false":2}})");
  EXPECT_EQ(message.labels().at("a"), "1");
  EXPECT_TRUE(message.by_number().at(-5).a_bool());
  EXPECT_EQ(message.by_truth().at(false), 2);
  EXPECT_THAT(Refusal(R"({"byTruth":{"maybe":1}})"),
              HasSubstr("by_truth.maybe: expected true or false"));
  EXPECT_THAT(Refusal(R"({"labels":{"a":null}})"),
              HasSubstr("labels.a: expected a string"));
}

TEST(JsonReaderTest, TimesFollowRfc3339) {
  EXPECT_EQ(Parsed(R"({"time":"1970-01-01T00:00:01Z"})").time().seconds(), 1);
  EXPECT_EQ(Parsed(R"({"time":"1970-01-01T01:00:00.25+01:00"})").time().nanos(),
            250000000);
  EXPECT_EQ(Parsed(R"({"time":"0001-01-01T00:00:00Z"})").time().seconds(),
            -62135596800);
  for (const char* const text :
       {"", "1970-01-01", "1970-01-01T00:00:00", "1970-02-30T00:00:00Z",
        "1970-01-01T24:00:00Z", "1970-01-01T00:00:60Z", "0000-01-01T00:00:00Z",
        "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00Zx", "1970-01-01 00:00:00Z",
        "0001-01-01T00:00:00+01:00", "1970-01-01T00:00:00+24:00"}) {
    EXPECT_THAT(Refusal(absl::StrCat(R"({"time":")", text, R"("})")),
                HasSubstr("time: expected a time"))
        << text;
  }
}

TEST(JsonReaderTest, DurationsEndInS) {
  EXPECT_EQ(Parsed(R"({"duration":"900s"})").duration().seconds(), 900);
  EXPECT_EQ(Parsed(R"({"duration":"-1.5s"})").duration().nanos(), -500000000);
  for (const char* const text : {"", "s", "900", "1.s", "1,5s", "--1s", "+1s",
                                 "315576000001s", "99999999999999999999s"}) {
    EXPECT_THAT(Refusal(absl::StrCat(R"({"duration":")", text, R"("})")),
                HasSubstr("duration: expected a duration"))
        << text;
  }
  EXPECT_THAT(Refusal(R"({"duration":900})"), HasSubstr("duration: expected"));
}

TEST(JsonReaderTest, FieldMasksTurnIntoProtoNames) {
  const Everything message =
      Parsed(R"({"updateMask":"displayName,account.email_verified"})");
  ASSERT_EQ(message.update_mask().paths_size(), 2);
  EXPECT_EQ(message.update_mask().paths(0), "display_name");
  EXPECT_EQ(message.update_mask().paths(1), "account.email_verified");
  EXPECT_THAT(Refusal(R"({"updateMask":"a,,b"})"), HasSubstr("update_mask"));
  EXPECT_THAT(Refusal(R"({"updateMask":["a"]})"), HasSubstr("update_mask"));
}

TEST(JsonReaderTest, OnlyStrictJsonPasses) {
  for (const std::string& text : std::initializer_list<std::string>{
           "",
           " ",
           "{",
           "{}x",
           "{} {}",
           "[]",
           "null",
           "\"a\"",
           "{'aBool':true}",
           "{aBool:true}",
           R"({"aBool":true,})",
           R"({"aBool":TRUE})",
           R"({"aString":"\xff"})",
           std::string("{\"aString\":\"\xff\"}"),
           std::string("{\"aString\":\"\xc0\x80\"}"),
           R"({"aString":"\ud800"})",
           R"({"anInt32":01})",
           R"({"anInt32":+1})",
           R"({"aDouble":NaN})",
           R"({"aDouble":.5})",
           "{/**/}",
           std::string("{\"aString\":\"a\nb\"}"),
           std::string("{}\0", 3),
           "\xef\xbb\xbf{}"}) {
    Refusal(text);
  }
  Parsed("{}");
  Parsed(" \r\n\t{ } \n");
}

TEST(JsonReaderTest, DepthIsBounded) {
  const auto nested = [](int depth) {
    return absl::StrCat(R"({"value":)", std::string(depth, '['),
                        std::string(depth, ']'), "}");
  };
  Parsed(nested(kMostJsonDepth - 1));
  Refusal(nested(kMostJsonDepth));
}

// protobuf 3.21's own parser took 62 s for this.
TEST(JsonReaderTest, SixtyKilobytesOfNestedArraysCostNothing) {
  const std::string text =
      absl::StrCat(R"({"metadata":{"a":)", std::string(30000, '['),
                   std::string(30000, ']'), "}}");
  const auto begin = std::chrono::steady_clock::now();
  Refusal(text);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took, std::chrono::milliseconds(20));
}

TEST(JsonReaderTest, WideTextsCostLinearTime) {
  std::string text = R"({"metadata":{)";
  for (int i = 0; i < 6000; ++i)
    absl::StrAppend(&text, i > 0 ? "," : "", "\"k", i, "\":0");
  absl::StrAppend(&text, "}}");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Parsed(text).metadata().fields().size(), 6000u);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took, std::chrono::milliseconds(500));
}

TEST(JsonReaderTest, ErrorsNeverQuoteValues) {
  for (const char* const text :
       {R"({"password":"hunter2" "x"})", R"({"anInt32":"hunter2"})",
        R"({"aBool":"hunter2"})", R"({"time":"hunter2"})",
        R"({"colour":"hunter2"})", R"({"someBytes":"hunter2!"})",
        R"({"child":"hunter2"})", R"({"int32s":"hunter2"})",
        R"({"updateMask":"hunter2!"})", R"({"aString":"hunter2)",
        R"({"metadata":"hunter2"})", R"({"labels":{"a":["hunter2"]}})"}) {
    EXPECT_THAT(Refusal(text), Not(HasSubstr("hunter2"))) << text;
  }
}

Everything Sample() {
  return Parsed(R"({
    "anInt32":-7,"anInt64":"-9007199254740993","aUint32":7,
    "aUint64":"18446744073709551615","aSint64":"-1","aFixed64":"5",
    "aDouble":1234567.125,"aFloat":0.1,"aBool":true,
    "aString":"h\u00e9llo \"<\\>\" \n\t\u0001\u007f","someBytes":"AAEC/w==",
    "colour":"COLOUR_BLUE","child":{"aBool":true},"maybe":0,
    "int32s":[1,-2],"int64s":["3"],"uint32s":[4],"uint64s":["5"],
    "doubles":[0.1,1e300,-0.0,"NaN","Infinity"],"floats":[1.5,3.4e38],
    "bools":[true,false],"strings":["","a"],"byteStrings":["AA=="],
    "colours":["COLOUR_RED",2],"children":[{},{"anInt32":1}],
    "labels":{"k":"v"},"byNumber":{"12":{"aBool":true}},
    "byTruth":{"true":3},"thirdChoice":{},
    "time":"2026-01-02T03:04:05.120Z","duration":"1.500s",
    "metadata":{"list":[1,"a",null,true,{"x":{}}]},"value":"text",
    "list":[1,[2]],"updateMask":"displayName,account.email",
    "wrappedInt64":"5","wrappedString":"","wrappedBool":false})");
}

TEST(JsonPrinterTest, WritesWhatProtobufWrites) {
  EXPECT_EQ(PrintJson(Sample()), PrintedByProtobuf(Sample()));
}

TEST(JsonPrinterTest, WhatIsPrintedReadsBackTheSame) {
  google::protobuf::util::DefaultFieldComparator nan_is_nan;
  nan_is_nan.set_treat_nan_as_equal(true);
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&nan_is_nan);
  const Everything sample = Sample();
  EXPECT_TRUE(differencer.Compare(Parsed(PrintJson(sample)), sample));
}

TEST(JsonPrinterTest, DefaultsAreLeftOut) {
  EXPECT_EQ(PrintJson(Everything()), "{}");
  v1::VerifyResponse verdict;
  EXPECT_EQ(PrintJson(verdict), "{}");
  verdict.set_valid(true);
  verdict.mutable_claims()->mutable_expire_time()->set_seconds(1893456000);
  EXPECT_EQ(PrintJson(verdict),
            R"({"valid":true,"claims":{"expireTime":"2030-01-01T00:00:00Z"}})");
}

TEST(JsonPrinterTest, TimesAndDurationsMatchProtobufAtTheirEdges) {
  for (const std::int64_t seconds : {-62135596800, -1L, 0L, 253402300799}) {
    for (const int nanos : {0, 1, 1000, 120000000, 999999999}) {
      Everything message;
      message.mutable_time()->set_seconds(seconds);
      message.mutable_time()->set_nanos(nanos);
      message.mutable_duration()->set_seconds(seconds);
      message.mutable_duration()->set_nanos(seconds < 0 ? -nanos : nanos);
      EXPECT_EQ(PrintJson(message), PrintedByProtobuf(message));
    }
  }
}

TEST(JsonPrinterTest, ATimeOutOfRangeLeavesAsNull) {
  Everything message;
  message.mutable_time()->set_seconds(253402300800);
  EXPECT_EQ(PrintJson(message), R"({"time":null})");
}

TEST(JsonPrinterTest, MembersStandInTheOrderOfTheirNames) {
  const char* const text = R"({"metadata":{"a":1,"b":2,"c":3}})";
  EXPECT_EQ(PrintJson(Parsed(R"({"metadata":{"c":3,"b":2,"a":1}})")), text);
}

TEST(JsonTextTest, InvalidUtf8CannotLeave) {
  std::string out;
  AppendJsonString("a\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80z\xe2\x82", out);
  EXPECT_THAT(out, ::testing::StartsWith("\"a\xef\xbf\xbd"));
  EXPECT_THAT(out, Not(HasSubstr("\xff")));
  v1::GetAccountRequest request;
  EXPECT_OK(ParseJson(absl::StrCat("{\"email\":", out, "}"), request));
  EXPECT_EQ(request.email().front(), 'a');
}

TEST(JsonTextTest, EveryByteBecomesOneJsonString) {
  for (int c = 0; c < 256; ++c) {
    std::string out = "{\"email\":";
    AppendJsonString(std::string(1, static_cast<char>(c)), out);
    v1::GetAccountRequest request;
    ASSERT_OK(ParseJson(out + "}", request)) << c;
    if (c >= 128) continue;
    EXPECT_EQ(request.email(), std::string(1, static_cast<char>(c)));
  }
}

}  // namespace
}  // namespace ostiary::http
