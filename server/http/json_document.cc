#include "server/http/json_document.h"

#include <boost/json/basic_parser_impl.hpp>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/base/secret.h"

namespace ostiary::http {
namespace {

// Positions are 32 bits wide; no listener takes nearly as much.
constexpr std::size_t kMostBytes = 16 * 1024 * 1024;

}  // namespace

// Receives what Boost's parser finds. The names are Boost's.
class JsonDocumentBuilder {
 public:
  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  static constexpr std::size_t max_object_size = kMostBytes;
  static constexpr std::size_t max_array_size = kMostBytes;
  static constexpr std::size_t max_key_size = kMostBytes;
  static constexpr std::size_t max_string_size = kMostBytes;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_array_begin(error_code&) { return Open(JsonKind::kArray); }
  bool on_array_end(std::size_t, error_code&) { return Close(); }
  bool on_object_begin(error_code&) { return Open(JsonKind::kObject); }
  bool on_object_end(std::size_t, error_code&) { return Close(); }

  bool on_key_part(string_view part, std::size_t, error_code&) {
    return Append(part);
  }
  bool on_key(string_view part, std::size_t, error_code&) {
    Append(part);
    key_begin_ = TakeText(key_size_);
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    return Append(part);
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    return AddText(JsonKind::kString, part);
  }
  bool on_number_part(string_view part, error_code&) { return Append(part); }
  // The text is kept: only the field knows which kind of number it wants.
  bool on_int64(std::int64_t, string_view part, error_code&) {
    return AddText(JsonKind::kNumber, part);
  }
  bool on_uint64(std::uint64_t, string_view part, error_code&) {
    return AddText(JsonKind::kNumber, part);
  }
  bool on_double(double, string_view part, error_code&) {
    return AddText(JsonKind::kNumber, part);
  }
  bool on_bool(bool value, error_code&) {
    return Add(value ? JsonKind::kTrue : JsonKind::kFalse);
  }
  bool on_null(error_code&) { return Add(JsonKind::kNull); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

  // Decoded strings are never longer than the text they stood in, so that the
  // buffer does not move and leave copies behind.
  void Reserve(std::size_t text_size) { document_.text_.reserve(text_size); }
  JsonDocument Take() { return std::move(document_); }

 private:
  bool Append(string_view part) {
    document_.text_.append(part.data(), part.size());
    return true;
  }

  // The position of what was appended since the last time.
  std::uint32_t TakeText(std::uint32_t& size) {
    const std::uint32_t begin = text_taken_;
    text_taken_ = static_cast<std::uint32_t>(document_.text_.size());
    size = text_taken_ - begin;
    return begin;
  }

  bool Add(JsonKind kind) {
    const auto next = static_cast<std::uint32_t>(document_.nodes_.size()) + 1;
    document_.nodes_.push_back({kind, key_begin_, key_size_, 0, 0, next});
    key_size_ = 0;
    return true;
  }

  bool AddText(JsonKind kind, string_view last_part) {
    Append(last_part);
    Add(kind);
    JsonDocument::Node& node = document_.nodes_.back();
    node.text_begin = TakeText(node.text_size);
    return true;
  }

  bool Open(JsonKind kind) {
    open_.push_back(document_.nodes_.size());
    return Add(kind);
  }

  bool Close() {
    document_.nodes_[open_.back()].end =
        static_cast<std::uint32_t>(document_.nodes_.size());
    open_.pop_back();
    return true;
  }

  JsonDocument document_;
  std::vector<std::size_t> open_;
  std::uint32_t text_taken_ = 0;
  std::uint32_t key_begin_ = 0;
  std::uint32_t key_size_ = 0;
};

JsonDocument::~JsonDocument() { Wipe(text_); }

absl::StatusOr<JsonDocument> JsonDocument::Parse(absl::string_view text,
                                                 int most_depth) {
  if (text.size() > kMostBytes) return Refuse(Reason::kRequestTooLarge);
  if (text.empty()) {
    return Refuse(Reason::kArgumentInvalid,
                  "The body is empty: send {} for a request without fields.");
  }
  boost::json::parse_options options;
  options.max_depth = static_cast<std::size_t>(most_depth);
  boost::json::basic_parser<JsonDocumentBuilder> parser(options);
  parser.handler().Reserve(text.size());
  boost::json::error_code ec;
  const std::size_t parsed =
      parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && parsed < text.size()) ec = boost::json::error::extra_data;
  if (ec) {
    return Refuse(Reason::kArgumentInvalid,
                  absl::StrCat("The body is not acceptable JSON: ",
                               ec.message(), " after ", parsed, " bytes."));
  }
  return parser.handler().Take();
}

}  // namespace ostiary::http
