#ifndef OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_CLAIMS_H_
#define OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_CLAIMS_H_

#include "client/jwt/token.h"

namespace ostiary {

// What an access token says.
using Claims = jwt::Claims;

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_CLAIMS_H_
