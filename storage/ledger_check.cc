#include "storage/ledger_check.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <string>

#include "storage/stored_time.h"

namespace ostiary::storage {
namespace {

// Fetched once: looking an algorithm up costs more than hashing a row.
const EVP_MD* Sha256() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (digest == nullptr) std::abort();  // no libcrypto, no ledger
  return digest;
}

void AppendInteger(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

void AppendTime(std::string& out, absl::Time time) {
  AppendInteger(out, static_cast<std::uint64_t>(ToStoredTime(time)), 8);
}

void AppendText(std::string& out, const std::string& text) {
  AppendInteger(out, text.size(), 4);
  out += text;
}

std::string Canonical(const LedgerRow& row) {
  std::string out;
  out.reserve(64 + row.key.size() + row.reason.size());
  AppendInteger(out, static_cast<std::uint64_t>(row.sequence), 8);
  AppendInteger(out, static_cast<std::uint64_t>(row.kind), 1);
  AppendText(out, row.key);
  AppendInteger(out, row.min_generation, 8);
  AppendTime(out, row.issued_before);
  AppendTime(out, row.commit_time);
  AppendTime(out, row.expire_time);
  AppendText(out, row.reason);
  return out;
}

}  // namespace

std::uint64_t NextLedgerCheck(std::uint64_t previous, const LedgerRow& row) {
  std::string input;
  AppendInteger(input, previous, 8);
  input += Canonical(row);
  unsigned char digest[32];
  unsigned int size = 0;
  if (EVP_Digest(input.data(), input.size(), digest, &size, Sha256(),
                 nullptr) != 1 ||
      size != sizeof(digest)) {
    std::abort();
  }
  std::uint64_t check = 0;
  for (int i = 0; i < 8; ++i) check = check << 8 | digest[i];
  return check;
}

}  // namespace ostiary::storage
