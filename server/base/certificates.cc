#include "server/base/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstddef>
#include <ctime>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/secret.h"

namespace ostiary {
namespace {

// A chain of a few certificates is some kilobytes; a bundle of every public CA
// about 250.
constexpr std::size_t kMaxFileBytes = 1 << 20;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* x509) const { X509_free(x509); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;
using X509Ptr = std::unique_ptr<X509, FreeX509>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot read '", path, "'"));
  }
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto count = static_cast<std::size_t>(file.gcount());
  if (count > kMaxFileBytes) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", path, "' is larger than 1 MiB"));
  }
  std::string exact(text, 0, count);
  Wipe(text);
  return exact;
}

absl::Status Bad(const std::string& path, absl::string_view what) {
  ERR_clear_error();
  return absl::FailedPreconditionError(absl::StrCat("'", path, "' ", what));
}

BioPtr Over(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// No terminal prompt: a server that waits for a passphrase looks like one that
// hangs.
int RefusePassphrase(char*, int, int, void*) { return -1; }

// Every certificate in `pem`; at least one, and nothing broken behind the good
// ones.
absl::StatusOr<std::vector<X509Ptr>> ParseChain(const std::string& path,
                                                const std::string& pem) {
  const BioPtr bio = Over(pem);
  std::vector<X509Ptr> chain;
  ERR_clear_error();
  while (X509* next =
             PEM_read_bio_X509(bio.get(), nullptr, RefusePassphrase, nullptr)) {
    chain.emplace_back(next);
  }
  const bool at_end =
      ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (chain.empty()) return Bad(path, "holds no PEM certificate");
  if (!at_end) return Bad(path, "holds a certificate that cannot be read");
  ERR_clear_error();
  return chain;
}

absl::StatusOr<KeyPtr> ParseKey(const std::string& path,
                                const std::string& pem) {
  const BioPtr bio = Over(pem);
  KeyPtr key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassphrase, nullptr));
  if (key == nullptr) {
    return Bad(path, "holds no PEM private key without a passphrase");
  }
  return key;
}

absl::Time NotAfterOf(const X509& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) {
    return absl::InfinitePast();
  }
  return absl::FromTM(parts, absl::UTCTimeZone());
}

// Reads, parses and pairs; `serial` is left 0.
absl::StatusOr<Certificates> Load(const CertificateStore::Paths& paths) {
  Certificates loaded;
  absl::StatusOr<std::string> chain_pem = ReadFile(paths.chain);
  if (!chain_pem.ok()) return chain_pem.status();
  loaded.chain_pem = *std::move(chain_pem);
  const absl::StatusOr<std::vector<X509Ptr>> chain =
      ParseChain(paths.chain, loaded.chain_pem);
  if (!chain.ok()) return chain.status();
  loaded.not_after = NotAfterOf(*chain->front());

  absl::StatusOr<std::string> key_pem = ReadFile(paths.private_key);
  if (!key_pem.ok()) return key_pem.status();
  loaded.private_key_pem = *std::move(key_pem);
  const absl::StatusOr<KeyPtr> key =
      ParseKey(paths.private_key, loaded.private_key_pem);
  if (!key.ok()) return key.status();
  if (X509_check_private_key(chain->front().get(), key->get()) != 1) {
    return Bad(paths.private_key,
               absl::StrCat("is not the private key of the first certificate "
                            "in '",
                            paths.chain, "'"));
  }

  if (paths.client_ca.empty()) return loaded;
  absl::StatusOr<std::string> ca_pem = ReadFile(paths.client_ca);
  if (!ca_pem.ok()) return ca_pem.status();
  loaded.client_ca_pem = *std::move(ca_pem);
  const absl::StatusOr<std::vector<X509Ptr>> ca =
      ParseChain(paths.client_ca, loaded.client_ca_pem);
  if (!ca.ok()) return ca.status();
  return loaded;
}

bool SameFiles(const Certificates& a, const Certificates& b) {
  return a.chain_pem == b.chain_pem &&
         EqualInConstantTime(a.private_key_pem, b.private_key_pem) &&
         a.client_ca_pem == b.client_ca_pem;
}

}  // namespace

Certificates::~Certificates() { Wipe(private_key_pem); }

absl::StatusOr<std::unique_ptr<CertificateStore>> CertificateStore::Open(
    Paths paths) {
  absl::StatusOr<Certificates> first = Load(paths);
  if (!first.ok()) return first.status();
  first->serial = 1;
  return std::unique_ptr<CertificateStore>(new CertificateStore(
      std::move(paths),
      std::make_shared<const Certificates>(*std::move(first))));
}

CertificateStore::CertificateStore(Paths paths,
                                   std::shared_ptr<const Certificates> first)
    : paths_(std::move(paths)), current_(std::move(first)) {}

std::shared_ptr<const Certificates> CertificateStore::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

absl::Status CertificateStore::Reload() {
  absl::StatusOr<Certificates> loaded = Load(paths_);  // I/O: without the lock
  if (!loaded.ok()) return loaded.status();
  const std::lock_guard lock(mutex_);
  if (SameFiles(*loaded, *current_)) return absl::OkStatus();
  loaded->serial = current_->serial + 1;
  current_ = std::make_shared<const Certificates>(*std::move(loaded));
  return absl::OkStatus();
}

}  // namespace ostiary
