#ifndef OSTIARY_TESTS_CLIENT_CLI_TEST_CERTIFICATE_H_
#define OSTIARY_TESTS_CLIENT_CLI_TEST_CERTIFICATE_H_

#include <string>

namespace ostiary::cli {

// A self-signed certificate for "localhost" and 127.0.0.1, good for an hour,
// and its key; both PEM. It is its own authority.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

TestCertificate MakeTestCertificate();

}  // namespace ostiary::cli

#endif  // OSTIARY_TESTS_CLIENT_CLI_TEST_CERTIFICATE_H_
