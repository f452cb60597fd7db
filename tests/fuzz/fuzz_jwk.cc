#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "client/jwt/key_set.h"

// A set that is accepted says the same when it is published and read again,
// and none of its keys accepts an empty or a made-up signature.

namespace {

void Require(bool held, const char* rule) {
  if (held) return;
  std::cerr << "broken: " << rule << std::endl;
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using ostiary::jwt::KeySet;
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto set = KeySet::Parse(input);
  if (!set.ok()) return 0;

  const auto again = KeySet::Parse(set->ToJson());
  Require(again.ok(), "what is published can be read");
  Require(again->ToJson() == set->ToJson(), "and says the same");
  for (const auto& key : set->keys()) {
    Require(set->Find(key.kid()) == &key, "found by its kid");
    Require(!key.Verifies(input, ""), "no signature is no signature");
    Require(!key.Verifies(input, std::string(64, '\1')), "nor a made-up one");
  }
  return 0;
}
