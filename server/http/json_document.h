#ifndef OSTIARY_SERVER_HTTP_JSON_DOCUMENT_H_
#define OSTIARY_SERVER_HTTP_JSON_DOCUMENT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::http {

enum class JsonKind : std::uint8_t {
  kNull,
  kFalse,
  kTrue,
  kNumber,
  kString,
  kArray,
  kObject,
};

class JsonValue;

// A JSON text, parsed strictly: the values in the order of the text, each
// knowing where the one after it begins. All strings stand in one buffer,
// which is wiped: there are passwords among them. Members of an object are not
// compared; a name may stand there twice.
class JsonDocument {
 public:
  // Refuses what RFC 8259 refuses, text that is not UTF-8 and more than
  // `most_depth` arrays and objects within each other; takes time linear in
  // the text's size.
  static absl::StatusOr<JsonDocument> Parse(absl::string_view text,
                                            int most_depth);
  ~JsonDocument();
  JsonDocument(JsonDocument&&) = default;
  JsonDocument& operator=(JsonDocument&&) = delete;

  // Valid while the document lives and is not moved.
  JsonValue root() const;

 private:
  friend class JsonValue;
  friend class JsonDocumentBuilder;
  struct Node {
    JsonKind kind;
    std::uint32_t key_begin, key_size;    // in text_
    std::uint32_t text_begin, text_size;  // in text_: strings and numbers
    std::uint32_t end;                    // the node after this and all within
  };
  JsonDocument() = default;

  std::vector<Node> nodes_;
  std::string text_;
};

// One value of a document. A view: valid while the document is.
class JsonValue {
 public:
  JsonKind kind() const { return node().kind; }
  bool Is(JsonKind kind) const { return node().kind == kind; }

  // The decoded string, or the number as written.
  absl::string_view text() const {
    return Text(node().text_begin, node().text_size);
  }
  // The name of this member of an object.
  absl::string_view key() const {
    return Text(node().key_begin, node().key_size);
  }

  // The values directly inside an array or object.
  class Iterator {
   public:
    Iterator(const JsonDocument& document, std::uint32_t at)
        : document_(document), at_(at) {}
    JsonValue operator*() const { return JsonValue(document_, at_); }
    Iterator& operator++() {
      at_ = document_.nodes_[at_].end;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const JsonDocument& document_;
    std::uint32_t at_;
  };
  Iterator begin() const { return {document_, at_ + 1}; }
  Iterator end() const { return {document_, node().end}; }

 private:
  friend class JsonDocument;
  JsonValue(const JsonDocument& document, std::uint32_t at)
      : document_(document), at_(at) {}
  const JsonDocument::Node& node() const { return document_.nodes_[at_]; }
  absl::string_view Text(std::uint32_t begin, std::uint32_t size) const {
    return absl::string_view(document_.text_).substr(begin, size);
  }

  const JsonDocument& document_;
  std::uint32_t at_;
};

inline JsonValue JsonDocument::root() const { return JsonValue(*this, 0); }

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_JSON_DOCUMENT_H_
