#ifndef OSTIARY_SERVER_PASSWORD_COMMON_PASSWORDS_H_
#define OSTIARY_SERVER_PASSWORD_COMMON_PASSWORDS_H_

#include "absl/strings/string_view.h"

namespace ostiary::password {

// True if `password` is, but for upper case, among the most frequent ones of
// 8 and more characters. Debian's zxcvbn knows only part of them.
//
// Thread-safe.
bool IsCommonPassword(absl::string_view password);

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_COMMON_PASSWORDS_H_
