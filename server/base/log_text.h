#ifndef OSTIARY_SERVER_BASE_LOG_TEXT_H_
#define OSTIARY_SERVER_BASE_LOG_TEXT_H_

#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"
#include "server/base/log.h"

namespace ostiary {

// How one record becomes one line. Whatever the bytes are, the result is valid
// UTF-8 without control characters: a caller who puts a line feed, a terminal
// escape or broken UTF-8 into a name can neither forge a record nor paint the
// operator's screen.

// "2026-01-02T03:04:05.678Z info    Listening address=127.0.0.1:50051"
std::string FormatLogText(absl::string_view time, LogLevel level,
                          absl::string_view event,
                          std::initializer_list<LogField> fields);

// {"time":"...","level":"info","event":"Listening","address":"..."}; the fields
// in the order given.
std::string FormatLogJson(absl::string_view time, LogLevel level,
                          absl::string_view event,
                          std::initializer_list<LogField> fields);

// Control characters (C0, DEL, C1), line and direction marks of Unicode and
// bytes that are not UTF-8 as \n, \x1b, \u202e; a backslash as two.
std::string EscapeText(absl::string_view bytes);

// EscapeText, in quotes when the value is empty or holds a space, a quote or an
// equals sign, so that a value cannot look like the next field.
std::string QuoteText(absl::string_view bytes);

// A JSON string, quotes included. A byte that is not UTF-8 becomes U+FFFD.
std::string QuoteJson(absl::string_view bytes);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_LOG_TEXT_H_
