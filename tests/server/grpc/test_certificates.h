#ifndef OSTIARY_TESTS_SERVER_GRPC_TEST_CERTIFICATES_H_
#define OSTIARY_TESTS_SERVER_GRPC_TEST_CERTIFICATES_H_

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace ostiary::rpc {

struct PemPair {
  std::string certificate;
  std::string private_key;
};

// A certificate authority made for a test.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  std::string certificate_pem() const;
  // A certificate for `common_name` with `alternative_names` in OpenSSL's
  // notation, "DNS:localhost,URI:spiffe://x/y"; empty: none.
  PemPair Issue(const std::string& common_name,
                const std::string& alternative_names) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_TESTS_SERVER_GRPC_TEST_CERTIFICATES_H_
