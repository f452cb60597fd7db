#include "tests/client/jwt/vectors.h"

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/escaping.h"

namespace ostiary::jwt::testing {
namespace {

std::string Environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::optional<boost::json::value> ReadJson(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return boost::json::parse(text.str());
}

}  // namespace

boost::json::value ReadVectors(const std::string& path) {
  const std::string file =
      Environment("OSTIARY_SOURCE_DIR", ".") + "/tests/vectors/" + path;
  std::optional<boost::json::value> value = ReadJson(file);
  if (!value.has_value()) {
    std::cerr << "no vectors at " << file << std::endl;
    std::abort();
  }
  return *std::move(value);
}

std::optional<boost::json::value> ReadWycheproof(const std::string& name) {
  const std::string beside =
      Environment("OSTIARY_SOURCE_DIR", ".") + "/../shared";
  for (const std::string& shared :
       {Environment("OSTIARY_SHARED", beside), beside}) {
    auto value = ReadJson(shared + "/vectors/wycheproof/" + name);
    if (value.has_value()) return value;
  }
  return std::nullopt;
}

std::string TextOf(const boost::json::value& value) {
  const boost::json::string& text = value.as_string();
  return std::string(text.data(), text.size());
}

std::string FromHex(absl::string_view hex) {
  return absl::HexStringToBytes(hex);
}

}  // namespace ostiary::jwt::testing
