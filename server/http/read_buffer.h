#ifndef OSTIARY_SERVER_HTTP_READ_BUFFER_H_
#define OSTIARY_SERVER_HTTP_READ_BUFFER_H_

#include <openssl/crypto.h>

#include <cstddef>
#include <cstring>
#include <memory>

#include "absl/strings/string_view.h"

namespace ostiary::http {

// The bytes a connection has received and nobody has taken yet. Never grows
// and forgets what was taken: passwords and tokens pass through.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t capacity)
      : bytes_(new char[capacity]), capacity_(capacity) {}
  ~ReadBuffer() { OPENSSL_cleanse(bytes_.get(), size_); }
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;

  absl::string_view view() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }

  // Where the next bytes go, and how many may: then `Commit` as many.
  char* spare() { return bytes_.get() + size_; }
  std::size_t spare_size() const { return capacity_ - size_; }
  void Commit(std::size_t count) { size_ += count; }

  void Consume(std::size_t count) {
    const std::size_t rest = size_ - count;
    std::memmove(bytes_.get(), bytes_.get() + count, rest);
    OPENSSL_cleanse(bytes_.get() + rest, count);
    size_ = rest;
  }

 private:
  const std::unique_ptr<char[]> bytes_;
  const std::size_t capacity_;
  std::size_t size_ = 0;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_READ_BUFFER_H_
