#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "server/config.h"
#include "server/option_rows.h"

namespace ostiary {
namespace {

constexpr std::size_t kTextWidth = 78;

// `text` in lines no longer than kTextWidth, each behind `indent` blanks.
std::string Wrap(absl::string_view text, std::size_t indent) {
  std::string out;
  std::string line(indent, ' ');
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (line.size() > indent && line.size() + 1 + word.size() > kTextWidth) {
      absl::StrAppend(&out, line, "\n");
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line.push_back(' ');
    absl::StrAppend(&line, word);
  }
  absl::StrAppend(&out, line, "\n");
  return out;
}

std::string Explained(const OptionRow& row) {
  return absl::StrCat(row.help, "; ", row.expects,
                      " (default: ", row.DefaultShown(), ")");
}

// Calls `begin` before the first row of each subject, `each` for every row.
template <typename Begin, typename Each>
void ForEachBySubject(Begin begin, Each each) {
  std::string subject;
  for (const OptionRow& row : OptionRows()) {
    if (row.subject != subject) {
      subject = row.subject;
      begin(subject);
    }
    each(row);
  }
}

std::string TextOfRows() {
  std::string out;
  ForEachBySubject(
      [&out](const std::string& subject) {
        absl::StrAppend(&out, "\n", subject, "\n");
      },
      [&out](const OptionRow& row) {
        absl::StrAppend(&out, "  ", row.Flag(), "\n", Wrap(Explained(row), 6));
      });
  return out;
}

std::string Cell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"<", "&lt;"}});
}

std::string Code(absl::string_view text) {
  return absl::StrCat("`", absl::StrReplaceAll(text, {{"|", "\\|"}}), "`");
}

std::string MarkdownOfRows() {
  std::string out;
  ForEachBySubject(
      [&out](const std::string& subject) {
        absl::StrAppend(&out, out.empty() ? "" : "\n", "**", subject, "**\n\n",
                        "| option | default | expects | meaning |\n"
                        "| --- | --- | --- | --- |\n");
      },
      [&out](const OptionRow& row) {
        const std::string shown = row.default_note.empty()
                                      ? Code(row.default_text)
                                      : Cell(row.default_note);
        absl::StrAppend(&out, "| ", Code(row.Flag()), " | ", shown, " | ",
                        Cell(row.expects), " | ", Cell(row.help), " |\n");
      });
  return out;
}

std::string ShownValue(const OptionRow& row, const Config& config) {
  const std::string value = row.show(config);
  if (row.hidden && !absl::StartsWith(value, "sqlite:")) return "(not shown)";
  return value.empty() ? "(none)" : value;
}

}  // namespace

std::string VersionText() {
  return absl::StrCat("ostiaryd ", OSTIARY_VERSION, "\n");
}

std::string HelpText() {
  return absl::StrCat(
      "ostiaryd - identity and tokens: accounts, passwords, refresh,"
      " revocation\n\n"
      "usage: ostiaryd [--option=value ...]\n"
      "       ostiaryd restore --sessions=end|keep [--from=FILE] "
      "[--option=value ...]\n\n"
      "  --check-config       say what is in force, or what is wrong, and end\n"
      "  --calibrate-hash     measure this machine, suggest hash parameters\n"
      "  --print-options[=text|markdown]\n"
      "  --version, --help\n\n"
      "restore puts back a store that an earlier server wrote; the server "
      "must\n"
      "not run.\n\n"
      "  --from=FILE          the backup to put in place of the store, which "
      "is\n"
      "                       kept beside it; without it, the store in place\n"
      "  --sessions=end|keep  whether all sign in again, or sessions go on\n"
      "  --report=FILE        a new file for what was done, with every "
      "session\n"
      "  --output=text|json   json: the same on standard output\n\n",
      Wrap("Without any option it serves on loopback and keeps its data in "
           "./ostiary-data. Each option can also be set by an environment "
           "variable (--grpc-listen is OSTIARY_GRPC_LISTEN) or in the file "
           "that --config names (grpc-listen = \"...\"). The command line "
           "wins over the environment, the environment over the file.",
           0),
      TextOfRows());
}

std::string OptionTable(TableFormat format) {
  switch (format) {
    case TableFormat::kText:
      return TextOfRows();
    case TableFormat::kMarkdown:
      return MarkdownOfRows();
  }
  return "";
}

std::string EffectiveValues(const Config& config) {
  std::size_t width = 0;
  for (const OptionRow& row : OptionRows()) {
    width = std::max(width, row.name.size());
  }
  std::string out = "configuration ok\n";
  ForEachBySubject(
      [&out](const std::string& subject) {
        absl::StrAppend(&out, "\n# ", subject, "\n");
      },
      [&](const OptionRow& row) {
        absl::StrAppend(&out,
                        absl::StrFormat("%-*s = %s\n", static_cast<int>(width),
                                        row.name, ShownValue(row, config)));
      });
  for (const std::string& warning : config.warnings) {
    absl::StrAppend(&out, "\nwarning: ", warning, "\n");
  }
  return out;
}

}  // namespace ostiary
