#ifndef OSTIARY_CLIENT_STATUS_LIST_ZLIB_STREAM_H_
#define OSTIARY_CLIENT_STATUS_LIST_ZLIB_STREAM_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::status_list {

// `bytes` in the zlib form (RFC 1950), at the highest level of compression.
std::string Deflate(absl::string_view bytes);

// What `stream` holds, if it is exactly one zlib stream: no raw deflate, no
// gzip, no preset dictionary, nothing cut off and nothing behind it. Stops, and
// answers nullopt, as soon as there would be more than `most` bytes: 64 KB can
// stand for 64 MB.
std::optional<std::string> Inflate(absl::string_view stream, std::size_t most);

}  // namespace ostiary::status_list

#endif  // OSTIARY_CLIENT_STATUS_LIST_ZLIB_STREAM_H_
