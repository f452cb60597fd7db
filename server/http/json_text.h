#ifndef OSTIARY_SERVER_HTTP_JSON_TEXT_H_
#define OSTIARY_SERVER_HTTP_JSON_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::http {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8
// leave as U+FFFD: what we write is always JSON. Also escaped are "<", ">" and
// DEL, U+2028 and U+2029, so that the text is harmless inside HTML and script.
void AppendJsonString(absl::string_view text, std::string& out);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_JSON_TEXT_H_
