#ifndef OSTIARY_CLIENT_CLI_SECRET_TEXT_H_
#define OSTIARY_CLIENT_CLI_SECRET_TEXT_H_

#include <string.h>

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace ostiary::cli {

// Overwrites the bytes so that the compiler cannot leave the work out.
inline void Wipe(std::string& bytes) {
  explicit_bzero(bytes.data(), bytes.size());
  bytes.clear();
}

// A password or token on its way from a person to the server. Wiped when it
// goes; cannot be printed by accident.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  ~SecretText() { Wipe(text_); }
  SecretText(SecretText&& other) noexcept : text_(other.text_) {
    Wipe(other.text_);
  }
  SecretText& operator=(SecretText&& other) noexcept {
    if (this == &other) return *this;
    Wipe(text_);
    text_ = other.text_;
    Wipe(other.text_);
    return *this;
  }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;

  // Valid while this object lives and is not moved from.
  const std::string& Reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_SECRET_TEXT_H_
