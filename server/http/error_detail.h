#ifndef OSTIARY_SERVER_HTTP_ERROR_DETAIL_H_
#define OSTIARY_SERVER_HTTP_ERROR_DETAIL_H_

#include <google/protobuf/any.pb.h>

#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::http {

// One element of an error body's "details", as the Connect protocol writes it:
// the type's name, the bytes in base64 without padding and, for eyes, the same
// as JSON under "debug".
void AppendDetail(const google::protobuf::Any& detail, std::string& out);

// The detail of a refusal that the wire makes by itself: google.rpc.ErrorInfo
// with the domain "ostiary".
void AppendErrorInfo(absl::string_view reason, std::string& out);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_ERROR_DETAIL_H_
