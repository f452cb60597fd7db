#ifndef OSTIARY_SERVER_BASE_LOG_H_
#define OSTIARY_SERVER_BASE_LOG_H_

#include <initializer_list>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// One fact beside the message. Never a password, a token or a key; an
// identifier that a caller typed only as a keyed hash (people type passwords
// there).
struct LogField {
  absl::string_view key;
  std::string value;
};

// Structured log lines on standard error: one line each, control characters
// escaped, so that no caller can write a line of its own.
//
// Thread-safe.
class Logger {
 public:
  Logger(LogFormat format, LogLevel threshold);
  ~Logger();

  // `event` is a constant sentence; what varies goes into the fields.
  void Log(LogLevel level, absl::string_view event,
           std::initializer_list<LogField> fields = {});
  void Info(absl::string_view event,
            std::initializer_list<LogField> fields = {}) {
    Log(LogLevel::kInfo, event, fields);
  }
  void Warning(absl::string_view event,
               std::initializer_list<LogField> fields = {}) {
    Log(LogLevel::kWarning, event, fields);
  }
  void Error(absl::string_view event,
             std::initializer_list<LogField> fields = {}) {
    Log(LogLevel::kError, event, fields);
  }

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_LOG_H_
