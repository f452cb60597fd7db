#ifndef OSTIARY_CLIENT_CPP_STATE_BYTES_H_
#define OSTIARY_CLIENT_CPP_STATE_BYTES_H_

// Internal to state_file.cc: names OpenSSL types.

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::client {

// A file that is written or read from end to end, with a running SHA-256.
// Numbers are little-endian, texts follow their length. After a failure nothing
// more happens, and `ok` is false.
class StateBytes {
 public:
  using Digest = std::array<unsigned char, 32>;

  // Takes `file`, which may be null: not ok.
  explicit StateBytes(std::FILE* file);

  void PutNumber(std::uint64_t number, int bytes);
  void PutText(absl::string_view text);
  // Writes the digest of all before and hands everything to the disk.
  void Seal();

  std::uint64_t TakeNumber(int bytes);
  // Not ok if it is longer than `most`.
  std::string TakeText(std::size_t most);
  // Reads the digest. Not ok if it is not that of all before, or if something
  // follows it.
  void CheckSeal();

  bool ok() const { return ok_; }
  void Spoil() { ok_ = false; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  void Put(const void* bytes, std::size_t size);
  void Take(void* bytes, std::size_t size);
  Digest Finish();

  const std::unique_ptr<std::FILE, Close> file_;
  const std::unique_ptr<EVP_MD_CTX, Close> hash_;
  bool ok_;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_STATE_BYTES_H_
