#ifndef OSTIARY_SERVER_KEY_OPENSSL_HANDLE_H_
#define OSTIARY_SERVER_KEY_OPENSSL_HANDLE_H_

#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>

// Owners for OpenSSL's handles.
namespace ostiary::key {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using PkeyHandle = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using CipherContext =
    std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG_free>>;

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_OPENSSL_HANDLE_H_
