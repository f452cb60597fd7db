#ifndef OSTIARY_SERVER_PASSWORD_PRESENTED_PASSWORD_H_
#define OSTIARY_SERVER_PASSWORD_PRESENTED_PASSWORD_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "server/base/secret.h"

namespace ostiary::password {

// Nothing of a password beyond this is read: a bound on the work one request
// can ask for.
inline constexpr std::size_t kMaxPasswordBytes = 1024;
// Of a new password.
inline constexpr std::size_t kMinPasswordBytes = 8;

// What somebody typed as their password. Nothing is known about it yet; it is
// wiped with the object.
//
// Move-only.
class PresentedPassword {
 public:
  // Never fails: a password that could be nobody's must cost as much as one
  // that could. The caller's copy remains the caller's to wipe.
  static PresentedPassword From(absl::string_view bytes);

  // As it came, at most kMaxPasswordBytes.
  absl::string_view raw() const { return raw_.Reveal(); }
  // As RFC 8265 (OpaqueString) compares passwords: spaces of other scripts made
  // U+0020, then NFC, so that the same password typed on another keyboard is
  // the same password. What is not UTF-8 stays as it came.
  absl::string_view normalised() const {
    return differs_ ? normalised_.Reveal() : raw_.Reveal();
  }
  bool differs_when_normalised() const { return differs_; }

  // It was cut at kMaxPasswordBytes, and so matches nothing.
  bool too_long() const { return too_long_; }
  bool valid_utf8() const { return valid_utf8_; }

 private:
  PresentedPassword() = default;

  SecretBytes raw_;
  SecretBytes normalised_;
  bool differs_ = false;
  bool too_long_ = false;
  bool valid_utf8_ = false;
};

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_PRESENTED_PASSWORD_H_
