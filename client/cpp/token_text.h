#ifndef OSTIARY_CLIENT_CPP_TOKEN_TEXT_H_
#define OSTIARY_CLIENT_CPP_TOKEN_TEXT_H_

#include <cstddef>
#include <memory>

#include "absl/strings/string_view.h"

namespace ostiary::client {

// A token's text, kept to be compared with others. It is a secret: wiped when
// it goes. Moving it moves no characters.
class TokenText {
 public:
  TokenText() = default;
  explicit TokenText(absl::string_view text);
  TokenText(TokenText&&) = default;
  TokenText& operator=(TokenText&&) = default;

  // Takes the same time wherever two texts of one length differ.
  bool Is(absl::string_view text) const;

 private:
  struct Wipe {
    std::size_t size;  // 0 in a text that was never set
    void operator()(char* text) const;
  };
  std::unique_ptr<char[], Wipe> text_;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_TOKEN_TEXT_H_
