#include "storage/hash_shape.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ostiary::storage {
namespace {

constexpr char kOther[] = "other";
constexpr std::size_t kMaxShape = 96;
constexpr std::size_t kMaxName = 32;
constexpr std::size_t kMaxParameterFields = 3;
// libcrypt's scrypt writes its cost in 11 characters glued to the salt.
constexpr std::size_t kScryptCost = 11;

bool IsDigits(absl::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

bool IsValue(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '+' || c == '/' || c == '.' ||
           c == '-';
  });
}

// "m=19456,t=2,p=1". Base64 with padding ("c2FsdA==") is none.
bool IsParameters(absl::string_view field) {
  for (absl::string_view pair : absl::StrSplit(field, ',')) {
    const std::size_t equals = pair.find('=');
    if (equals == absl::string_view::npos) return false;
    if (!IsName(pair.substr(0, equals))) return false;
    if (!IsValue(pair.substr(equals + 1))) return false;
  }
  return true;
}

// How many of the fields after the name are cost, by the general rule.
std::size_t CountParameterFields(const std::vector<absl::string_view>& fields) {
  std::size_t count = 0;
  while (count < kMaxParameterFields && count + 2 < fields.size() &&
         IsParameters(fields[count + 1])) {
    ++count;
  }
  return count;
}

bool CostIsTheNextField(const std::vector<absl::string_view>& fields) {
  const absl::string_view name = fields[0];
  if (fields.size() < 3) return false;
  if (name == "2a" || name == "2b" || name == "2x" || name == "2y" ||
      absl::StartsWith(name, "pbkdf2")) {
    return IsDigits(fields[1]);
  }
  return (name == "y" || name == "gy") && fields[1].size() <= 16 &&
         IsValue(fields[1]);
}

std::string Shape(const std::vector<absl::string_view>& fields) {
  if (fields.size() < 2 || !IsName(fields[0])) return kOther;
  if (CostIsTheNextField(fields)) {
    return absl::StrCat("$", fields[0], "$", fields[1]);
  }
  if (fields[0] == "7") {
    if (fields[1].size() < kScryptCost) return kOther;
    return absl::StrCat("$7$", fields[1].substr(0, kScryptCost));
  }
  std::string shape = absl::StrCat("$", fields[0]);
  const std::size_t parameters = CountParameterFields(fields);
  for (std::size_t i = 1; i <= parameters; ++i) {
    absl::StrAppend(&shape, "$", fields[i]);
  }
  return shape;
}

}  // namespace

std::string HashShape(absl::string_view password_hash) {
  if (password_hash.empty()) return "";
  if (password_hash.front() != '$') return kOther;
  std::string shape = Shape(absl::StrSplit(password_hash.substr(1), '$'));
  return shape.size() > kMaxShape ? kOther : shape;
}

}  // namespace ostiary::storage
