#include "server/base/log.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/base/log_text.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace ostiary {
namespace {

absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// The machine's clock, not a Clock: a log says when a line was written, and is
// read beside the logs of other programs.
std::string TimeNow() {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", absl::Now(),
                          absl::UTCTimeZone());
}

}  // namespace

std::string FormatLogText(absl::string_view time, LogLevel level,
                          absl::string_view event,
                          std::initializer_list<LogField> fields) {
  std::string line =
      absl::StrFormat("%s %-7s %s", time, LevelName(level), EscapeText(event));
  for (const LogField& field : fields) {
    absl::StrAppend(&line, " ", EscapeText(field.key), "=",
                    QuoteText(field.value));
  }
  return line;
}

std::string FormatLogJson(absl::string_view time, LogLevel level,
                          absl::string_view event,
                          std::initializer_list<LogField> fields) {
  std::string line = absl::StrCat("{\"time\":", QuoteJson(time),
                                  ",\"level\":", QuoteJson(LevelName(level)),
                                  ",\"event\":", QuoteJson(event));
  for (const LogField& field : fields) {
    absl::StrAppend(&line, ",", QuoteJson(field.key), ":",
                    QuoteJson(field.value));
  }
  line.push_back('}');
  return line;
}

struct Logger::Sink {
  explicit Sink(LogFormat line_format, LogLevel threshold)
      : format(line_format),
        output("ostiary", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    output.set_level(SpdlogLevel(threshold));
    output.set_pattern("%v");
    output.flush_on(spdlog::level::trace);
  }

  const LogFormat format;
  spdlog::logger output;
};

Logger::Logger(LogFormat format, LogLevel threshold)
    : sink_(std::make_unique<Sink>(format, threshold)) {}

Logger::~Logger() = default;

void Logger::Log(LogLevel level, absl::string_view event,
                 std::initializer_list<LogField> fields) {
  const spdlog::level::level_enum spdlog_level = SpdlogLevel(level);
  if (!sink_->output.should_log(spdlog_level)) return;
  const std::string line = sink_->format == LogFormat::kJson
                               ? FormatLogJson(TimeNow(), level, event, fields)
                               : FormatLogText(TimeNow(), level, event, fields);
  // As one argument, never as a format string.
  sink_->output.log(spdlog_level,
                    spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace ostiary
