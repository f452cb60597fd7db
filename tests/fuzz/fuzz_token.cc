#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>

#include "client/jwt/base64url.h"
#include "client/jwt/verifier.h"

// No text but the signed ones of tests/vectors/jose is ever accepted. Another
// ECDSA signature over a signed text is as good as the first, so what counts
// is the signed part.

namespace {

using namespace ostiary::jwt;  // NOLINT: one file, one subject

std::string Text(const boost::json::value& value) {
  return boost::json::value_to<std::string>(value);
}

struct World {
  KeySet keys;
  Verifier verifier;
  std::set<std::string, std::less<>> signed_texts;
};

World Load() {
  const char* source = std::getenv("OSTIARY_SOURCE_DIR");
  std::ifstream file(std::string(source == nullptr ? "." : source) +
                     "/tests/vectors/jose/jwt-attacks.json");
  std::ostringstream text;
  text << file.rdbuf();
  const boost::json::value vectors = boost::json::parse(text.str());

  World world{
      KeySet::Parse(boost::json::serialize(vectors.at("jwks"))).value(),
      Verifier::Create({.issuer = Text(vectors.at("issuer")),
                        .algorithms = {Algorithm::kEs256, Algorithm::kRs256,
                                       Algorithm::kEdDsa}})
          .value(),
      {}};
  for (const auto& item : vectors.at("cases").as_array()) {
    // Authentic too are tokens that only their time or audience makes bad.
    const std::string cls = Text(item.at("cls"));
    if (Text(item.at("expect")) != "accept" && cls != "exp" && cls != "nbf" &&
        cls != "aud") {
      continue;
    }
    const std::string token = Text(item.at("token"));
    world.signed_texts.insert(token.substr(0, token.rfind('.')));
  }
  return world;
}

void Require(bool held, const char* rule) {
  if (held) return;
  std::cerr << "broken: " << rule << std::endl;
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const World world = Load();
  const std::string input(reinterpret_cast<const char*>(data), size);

  const auto bytes = Base64UrlDecode(input);
  Require(!bytes.has_value() || Base64UrlEncode(*bytes) == input,
          "one spelling for the same bytes");

  const Verdict verdict = world.verifier.Authenticate(input, world.keys);
  if (!verdict.accepted()) return 0;
  Require(input.size() <= kMaxTokenBytes, "bounded");
  Require(world.signed_texts.count(input.substr(0, input.rfind('.'))) == 1,
          "only what was signed is accepted");
  Require(!verdict.token().claims().subject.empty(), "claims are complete");
  return 0;
}
