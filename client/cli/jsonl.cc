#include "client/cli/jsonl.h"

#include <boost/json/serialize.hpp>
#include <optional>
#include <streambuf>

#include "client/cli/json_value.h"

namespace ostiary::cli {
namespace {

enum class Line { kNone, kRead, kTooLong };

// Not std::getline: that keeps whatever comes, however long.
Line ReadLine(std::istream& in, std::string& line) {
  using Traits = std::char_traits<char>;
  line.clear();
  std::streambuf& buffer = *in.rdbuf();
  bool too_long = false;
  bool any = false;
  for (;;) {
    const int next = buffer.sbumpc();
    if (Traits::eq_int_type(next, Traits::eof())) break;
    any = true;
    if (next == '\n') break;
    too_long = too_long || line.size() == kMaxLineBytes;
    if (!too_long) line += Traits::to_char_type(next);
  }
  if (!any) return Line::kNone;
  return too_long ? Line::kTooLong : Line::kRead;
}

absl::StatusOr<LineVerdict> JudgeLine(
    Line kind, const std::string& line,
    absl::FunctionRef<absl::StatusOr<LineVerdict>(const boost::json::object&)>
        judge) {
  if (kind == Line::kTooLong) return LineVerdict{false, kLineTooLong};
  const std::optional<boost::json::object> object = ParseJsonObject(line);
  if (!object) return LineVerdict{false, kLineMalformed};
  return judge(*object);
}

}  // namespace

void WriteVerdict(const LineVerdict& verdict, absl::string_view name,
                  std::ostream& out) {
  out << "{\"" << name << "\": " << (verdict.good ? "true" : "false");
  if (!verdict.reason.empty()) {
    const boost::json::string_view reason(verdict.reason.data(),
                                          verdict.reason.size());
    out << ", \"reason\": " << boost::json::serialize(reason);
  }
  out << "}\n" << std::flush;
}

absl::Status JudgeLines(
    std::istream& in, std::ostream& out, absl::string_view name,
    absl::FunctionRef<absl::StatusOr<LineVerdict>(const boost::json::object&)>
        judge) {
  std::string line;
  for (;;) {
    const Line kind = ReadLine(in, line);
    if (kind == Line::kNone) return absl::OkStatus();
    const absl::StatusOr<LineVerdict> verdict = JudgeLine(kind, line, judge);
    if (!verdict.ok()) return verdict.status();
    WriteVerdict(*verdict, name, out);
    if (!out) return absl::InternalError("stdout cannot be written");
  }
}

}  // namespace ostiary::cli
