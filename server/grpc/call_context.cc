#include "server/grpc/call_context.h"

#include <chrono>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/security/auth_context.h"
#include "server/base/secret.h"
#include "server/door/errors.h"

namespace ostiary::rpc {
namespace {

// Clients bound all metadata of an answer to 8 KiB, after base64. Over this,
// the details shrink to the first one, which holds the reason.
constexpr std::size_t kMaxDetailsBytes = 4096;

void AppendTo(std::string& out, ::grpc::string_ref text) {
  out.append(text.data(), text.size());
}

std::string Property(const ::grpc::AuthContext& auth, const char* name) {
  const std::vector<::grpc::string_ref> values = auth.FindPropertyValues(name);
  if (values.size() != 1) return "";
  return std::string(values[0].data(), values[0].size());
}

// All values of a header as one list, as HTTP reads it. A second authorization
// header so makes the first one malformed instead of being overlooked: a proxy
// in front may have checked the other one.
void JoinHeader(const ::grpc::ServerContext& call, const char* name,
                std::string& out) {
  out.clear();
  const auto [first, last] = call.client_metadata().equal_range(name);
  for (auto it = first; it != last; ++it) {
    if (it != first) out.append(", ");
    AppendTo(out, it->second);
  }
}

// Only names that the listener itself has verified: the local socket counts as
// authenticated too, and a certificate's common name is no identity (RFC 6125,
// 6.4.4).
void FillIdentities(const ::grpc::AuthContext& auth,
                    std::vector<std::string>& out) {
  if (!auth.IsPeerAuthenticated()) return;
  if (auth.GetPeerIdentityPropertyName() != "x509_subject_alternative_name")
    return;
  for (const ::grpc::string_ref& name : auth.GetPeerIdentity())
    out.emplace_back(name.data(), name.size());
}

void FillPeer(const ::grpc::ServerContext& call, door::CallContext& out) {
  out.listener = door::Listener::kGrpc;
  out.certificate_identities.clear();
  const std::shared_ptr<const ::grpc::AuthContext> auth = call.auth_context();
  const std::string transport =
      auth == nullptr ? "" : Property(*auth, "transport_security_type");
  if (transport == "local") out.listener = door::Listener::kOperatorSocket;
  if (transport == "ssl" || transport == "tls")
    FillIdentities(*auth, out.certificate_identities);
  out.peer_address = PeerAddress(call.peer());
}

absl::Time DeadlineOf(const ::grpc::ServerContext& call) {
  const std::chrono::system_clock::time_point deadline = call.deadline();
  if (deadline == std::chrono::system_clock::time_point::max())
    return absl::InfiniteFuture();
  return absl::FromChrono(deadline);
}

}  // namespace

void FillCallContext(const ::grpc::ServerContext& call, Asked asked,
                     door::CallContext& out) {
  out.deadline = DeadlineOf(call);
  if (asked == Asked::kNothing) return;
  FillPeer(call, out);
  Wipe(out.authorization);
  JoinHeader(call, "authorization", out.authorization);
  JoinHeader(call, "x-forwarded-for", out.forwarded_for);
  JoinHeader(call, "user-agent", out.user_agent);
}

std::string PeerAddress(absl::string_view peer) {
  const bool is_v6 = absl::ConsumePrefix(&peer, "ipv6:");
  if (!is_v6 && !absl::ConsumePrefix(&peer, "ipv4:")) return "";
  const std::size_t colon = peer.rfind(':');
  if (colon == absl::string_view::npos) return "";
  std::string address(peer.substr(0, colon));
  if (!is_v6) return address;
  // Older versions escape the brackets, and every "%" before a scope.
  address = absl::StrReplaceAll(address, {{"%5B", "["}, {"%5D", "]"}});
  if (!absl::StartsWith(address, "[") || !absl::EndsWith(address, "]"))
    return "";
  return absl::StrReplaceAll(address.substr(1, address.size() - 2),
                             {{"%25", "%"}});
}

::grpc::Status ToGrpcStatus(const absl::Status& status) {
  google::rpc::Status out = door::ToRpcStatus(status);
  if (out.ByteSizeLong() > kMaxDetailsBytes && out.details_size() > 1)
    out.mutable_details()->DeleteSubrange(1, out.details_size() - 1);
  return ::grpc::Status(static_cast<::grpc::StatusCode>(out.code()),
                        out.message(), out.SerializeAsString());
}

}  // namespace ostiary::rpc
