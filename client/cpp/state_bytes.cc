#include "client/cpp/state_bytes.h"

#include <unistd.h>

namespace ostiary::client {

StateBytes::StateBytes(std::FILE* file) : file_(file), hash_(EVP_MD_CTX_new()) {
  ok_ = file_ != nullptr && hash_ != nullptr &&
        EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr) == 1;
}

void StateBytes::Put(const void* bytes, std::size_t size) {
  ok_ = ok_ && EVP_DigestUpdate(hash_.get(), bytes, size) == 1 &&
        std::fwrite(bytes, 1, size, file_.get()) == size;
}

void StateBytes::Take(void* bytes, std::size_t size) {
  ok_ = ok_ && std::fread(bytes, 1, size, file_.get()) == size &&
        EVP_DigestUpdate(hash_.get(), bytes, size) == 1;
}

void StateBytes::PutNumber(std::uint64_t number, int bytes) {
  unsigned char little[8];
  for (int i = 0; i < 8; ++i) {
    little[i] = static_cast<unsigned char>(number >> (8 * i));
  }
  Put(little, static_cast<std::size_t>(bytes));
}

std::uint64_t StateBytes::TakeNumber(int bytes) {
  unsigned char little[8] = {};
  Take(little, static_cast<std::size_t>(bytes));
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number |= std::uint64_t{little[i]} << (8 * i);
  return ok_ ? number : 0;
}

void StateBytes::PutText(absl::string_view text) {
  PutNumber(text.size(), 4);
  Put(text.data(), text.size());
}

std::string StateBytes::TakeText(std::size_t most) {
  const std::uint64_t size = TakeNumber(4);
  if (size > most) Spoil();
  if (!ok_) return "";
  std::string text(static_cast<std::size_t>(size), '\0');
  Take(text.data(), text.size());
  return text;
}

StateBytes::Digest StateBytes::Finish() {
  Digest digest = {};
  ok_ = ok_ && EVP_DigestFinal_ex(hash_.get(), digest.data(), nullptr) == 1;
  return digest;
}

void StateBytes::Seal() {
  const Digest digest = Finish();
  ok_ = ok_ &&
        std::fwrite(digest.data(), 1, digest.size(), file_.get()) ==
            digest.size() &&
        std::fflush(file_.get()) == 0 && fsync(fileno(file_.get())) == 0;
}

void StateBytes::CheckSeal() {
  const Digest digest = Finish();
  Digest stored = {};
  ok_ = ok_ &&
        std::fread(stored.data(), 1, stored.size(), file_.get()) ==
            stored.size() &&
        stored == digest && std::fgetc(file_.get()) == EOF;
}

}  // namespace ostiary::client
