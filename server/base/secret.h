#ifndef OSTIARY_SERVER_BASE_SECRET_H_
#define OSTIARY_SERVER_BASE_SECRET_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace ostiary {

// Overwrites the bytes so that the compiler cannot leave the work out.
void Wipe(std::string& bytes);

// True if both hold the same bytes; takes the same time wherever they differ.
// The lengths are not secret.
bool EqualInConstantTime(absl::string_view a, absl::string_view b);

// Bytes that must not be printed, compared with == or left behind in memory: a
// password, a key. Move-only; wiped when destroyed or moved from. There is no
// operator<< and no implicit conversion: `Reveal` is the one way in, and one
// search for it finds every place that reads a secret.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  // Copies `bytes`; the caller's copy remains the caller's to wipe.
  static SecretBytes CopyOf(absl::string_view bytes) {
    return SecretBytes(std::string(bytes.data(), bytes.size()));
  }
  ~SecretBytes() { Wipe(bytes_); }

  SecretBytes(SecretBytes&& other) noexcept : bytes_(other.bytes_) {
    Wipe(other.bytes_);
  }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      Wipe(bytes_);
      bytes_ = other.bytes_;
      Wipe(other.bytes_);
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  // Valid while this object lives and is not moved from.
  absl::string_view Reveal() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string bytes_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_SECRET_H_
