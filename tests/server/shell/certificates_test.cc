#include "server/base/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::TempDir;
using ::testing::HasSubstr;

struct Pair {
  std::string certificate;
  std::string key;
};

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// A self-signed P-256 certificate that ends `seconds` from now.
Pair MakePair(long seconds = 3600) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* x509 = X509_new();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -7200);
  X509_gmtime_adj(X509_getm_notAfter(x509), seconds);
  X509_set_pubkey(x509, key);
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x509, name);
  X509_sign(x509, key, EVP_sha256());
  BIO* certificate = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate, x509);
  BIO* private_key = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(private_key, key, nullptr, nullptr, 0, nullptr,
                           nullptr);
  X509_free(x509);
  EVP_PKEY_free(key);
  return {TextOf(certificate), TextOf(private_key)};
}

class CertificatesTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }
  void Write(const Pair& pair) {
    Write(paths_.chain, pair.certificate);
    Write(paths_.private_key, pair.key);
  }

  TempDir dir_;
  CertificateStore::Paths paths_{dir_.File("cert.pem"), dir_.File("key.pem"),
                                 ""};
};

TEST_F(CertificatesTest, AMatchingPairIsTakenIntoUse) {
  const Pair pair = MakePair();
  Write(pair);
  ASSERT_OK_AND_ASSIGN(const auto store, CertificateStore::Open(paths_));
  EXPECT_EQ(store->Current()->chain_pem, pair.certificate);
  EXPECT_EQ(store->Current()->private_key_pem, pair.key);
  EXPECT_EQ(store->Current()->client_ca_pem, "");
  EXPECT_EQ(store->Current()->serial, 1u);
}

TEST_F(CertificatesTest, AKeyOfAnotherCertificateIsRefusedAndNamed) {
  Write(MakePair());
  Write(paths_.private_key, MakePair().key);
  const auto store = CertificateStore::Open(paths_);
  EXPECT_THAT(store, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(store.status().message()), HasSubstr("key.pem"));
  EXPECT_THAT(std::string(store.status().message()), HasSubstr("cert.pem"));
}

TEST_F(CertificatesTest, MissingEmptyAndJunkFilesAreRefusedByName) {
  const Pair pair = MakePair();
  EXPECT_THAT(std::string(CertificateStore::Open(paths_).status().message()),
              HasSubstr("cert.pem"));
  for (const std::string& junk :
       {std::string(), std::string("junk"), pair.key,
        pair.certificate.substr(0, pair.certificate.size() / 2),
        absl::StrCat(pair.certificate,
                     "-----BEGIN CERTIFICATE-----\nAAAA\n"
                     "-----END CERTIFICATE-----\n")}) {
    Write(pair);
    Write(paths_.chain, junk);
    EXPECT_THAT(std::string(CertificateStore::Open(paths_).status().message()),
                HasSubstr("cert.pem"));
  }
  Write(pair);
  Write(paths_.private_key, pair.certificate);
  EXPECT_THAT(std::string(CertificateStore::Open(paths_).status().message()),
              HasSubstr("key.pem"));
}

TEST_F(CertificatesTest, AnErrorHoldsNothingOfTheKey) {
  const Pair pair = MakePair();
  Write(pair);
  Write(paths_.private_key, pair.key.substr(0, pair.key.size() / 2));
  const auto store = CertificateStore::Open(paths_);
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(std::string(store.status().message()),
              ::testing::Not(HasSubstr(pair.key.substr(40, 16))));
}

TEST_F(CertificatesTest, TheClientAuthorityIsParsedToo) {
  Write(MakePair());
  paths_.client_ca = dir_.File("ca.pem");
  Write(paths_.client_ca, "junk");
  EXPECT_THAT(std::string(CertificateStore::Open(paths_).status().message()),
              HasSubstr("ca.pem"));
  const std::string two = MakePair().certificate + MakePair().certificate;
  Write(paths_.client_ca, two);
  ASSERT_OK_AND_ASSIGN(const auto store, CertificateStore::Open(paths_));
  EXPECT_EQ(store->Current()->client_ca_pem, two);
}

TEST_F(CertificatesTest, AnExpiredCertificateIsServedAndItsEndIsTold) {
  Write(MakePair(-60));
  ASSERT_OK_AND_ASSIGN(const auto store, CertificateStore::Open(paths_));
  EXPECT_LT(store->NotAfter(), absl::Now());
  EXPECT_GT(store->NotAfter(), absl::Now() - absl::Minutes(3));
}

TEST_F(CertificatesTest, ReloadTakesAGoodPairAndRaisesTheSerial) {
  Write(MakePair());
  ASSERT_OK_AND_ASSIGN(const auto store, CertificateStore::Open(paths_));
  const auto first = store->Current();
  EXPECT_OK(store->Reload());
  EXPECT_EQ(store->Current(), first) << "nothing changed on disk";
  const Pair next = MakePair();
  Write(next);
  EXPECT_OK(store->Reload());
  EXPECT_EQ(store->Current()->chain_pem, next.certificate);
  EXPECT_EQ(store->Current()->serial, 2u);
}

TEST_F(CertificatesTest, ReloadKeepsTheOldPairWhileANewOneIsHalfWritten) {
  const Pair old = MakePair();
  const Pair next = MakePair();
  Write(old);
  ASSERT_OK_AND_ASSIGN(const auto store, CertificateStore::Open(paths_));
  Write(paths_.chain, next.certificate);  // the key follows a moment later
  EXPECT_FALSE(store->Reload().ok());
  EXPECT_EQ(store->Current()->chain_pem, old.certificate);
  EXPECT_EQ(store->Current()->private_key_pem, old.key);
  EXPECT_EQ(store->Current()->serial, 1u);
  Write(paths_.private_key, next.key);
  EXPECT_OK(store->Reload());
  EXPECT_EQ(store->Current()->private_key_pem, next.key);
}

TEST_F(CertificatesTest, ReadersSeeWholePairsWhileItReloads) {
  const Pair a = MakePair();
  const Pair b = MakePair();
  Write(a);
  ASSERT_OK_AND_ASSIGN(const auto store, CertificateStore::Open(paths_));
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      const auto now = store->Current();
      EXPECT_EQ(now->chain_pem == a.certificate, now->private_key_pem == a.key);
    }
  });
  for (int i = 0; i < 20; ++i) {
    Write(i % 2 == 0 ? b : a);
    EXPECT_OK(store->Reload());
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace ostiary
