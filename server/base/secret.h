#ifndef OSTIARY_SERVER_BASE_SECRET_H_
#define OSTIARY_SERVER_BASE_SECRET_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace ostiary {

// Overwrites the bytes so that the compiler cannot leave the work out; also
// those that the text no longer uses.
void Wipe(std::string& bytes);

// True if both hold the same bytes; takes the same time wherever they differ.
// The lengths are not secret.
bool EqualInConstantTime(absl::string_view a, absl::string_view b);

// Bytes that must not be printed, compared with == or left behind in memory: a
// password, a key. They lie in the arena (secret_arena.h), which no core dump
// holds. Move-only; wiped when destroyed. There is no operator<< and no
// implicit conversion: `Reveal` is the one way in, and one search for it finds
// every place that reads a secret.
class SecretBytes {
 public:
  SecretBytes() = default;
  // Wipes `bytes`, which the caller must have moved here.
  explicit SecretBytes(std::string bytes);
  // Copies `bytes`; the caller's copy remains the caller's to wipe.
  static SecretBytes CopyOf(absl::string_view bytes);
  ~SecretBytes() { Clear(); }

  SecretBytes(SecretBytes&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      Clear();
      bytes_ = std::exchange(other.bytes_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  // Valid while this object lives and is not moved from.
  absl::string_view Reveal() const { return {bytes_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void Clear() noexcept;

  char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

// Bytes that came over the wire and may hold a secret: kept where they came,
// wiped when destroyed or moved from. Costs nothing that a std::string does
// not cost, for what every call carries.
class WipedBytes {
 public:
  WipedBytes() = default;
  explicit WipedBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  ~WipedBytes() { Wipe(bytes_); }

  WipedBytes(WipedBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {
    Wipe(other.bytes_);
  }
  WipedBytes& operator=(WipedBytes&& other) noexcept {
    if (this != &other) {
      Wipe(bytes_);
      bytes_ = std::move(other.bytes_);
      Wipe(other.bytes_);
    }
    return *this;
  }
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;

  // Valid while this object lives and is not moved from.
  absl::string_view Reveal() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_SECRET_H_
