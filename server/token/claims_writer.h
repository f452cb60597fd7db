#ifndef OSTIARY_SERVER_TOKEN_CLAIMS_WRITER_H_
#define OSTIARY_SERVER_TOKEN_CLAIMS_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ostiary::token {

// Writes one JSON object, members in the order they are added, no white space.
// Names must be plain ASCII and given once.
class ClaimsWriter {
 public:
  void Add(absl::string_view name, absl::string_view value);
  void Add(absl::string_view name, const std::vector<std::string>& values);
  void AddNumber(absl::string_view name, std::uint64_t value);
  // Spends `object`.
  void AddObject(absl::string_view name, ClaimsWriter& object);
  // Members of another object as they stand, without its braces.
  void AddMembers(absl::string_view members);

  // False once a text that is not UTF-8 was added: the object is no JSON then.
  bool ok() const { return ok_; }
  // The object. The writer is spent.
  std::string Finish();

 private:
  void BeginMember(absl::string_view name);
  void AppendText(absl::string_view text);

  std::string json_ = "{";
  bool ok_ = true;
};

// True for well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong).
bool IsUtf8(absl::string_view text);

}  // namespace ostiary::token

#endif  // OSTIARY_SERVER_TOKEN_CLAIMS_WRITER_H_
