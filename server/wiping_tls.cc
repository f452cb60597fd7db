// SSL_new of this program, in place of the library's: every connection cleanses
// what it has decrypted once that is handed on.
//
// OpenSSL decrypts a record in its own buffer, where it stays until the next
// one: a password, on a connection that then falls silent. It has an option
// against that; gRPC has no way to set it, and its libraries find this function
// first.

#include <dlfcn.h>
#include <openssl/ssl.h>

#include <cstdlib>

extern "C" SSL* SSL_new(SSL_CTX* context) {
  using New = SSL* (*)(SSL_CTX*);
  static const New original =
      reinterpret_cast<New>(dlsym(RTLD_NEXT, "SSL_new"));
  if (original == nullptr) std::abort();  // linked in a way that nobody tried
  SSL* const connection = original(context);
  if (connection != nullptr)
    SSL_set_options(connection, SSL_OP_CLEANSE_PLAINTEXT);
  return connection;
}
