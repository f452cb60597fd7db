#include "server/door/method_book.h"

#include <cstdio>
#include <cstdlib>

#include "server/door/policy.h"
#include "server/door/secret_fields.h"

namespace ostiary::door {
namespace {

[[noreturn]] void Die(absl::string_view name, const char* why) {
  std::fprintf(stderr, "ostiaryd: method %s %s\n",
               std::string(name.data(), name.size()).c_str(), why);
  std::abort();
}

const MethodRow& RowOf(absl::string_view name) {
  for (const MethodRow& row : PolicyTable()) {
    if (row.name == name) return row;
  }
  Die(name, "has no row in the policy table");
}

}  // namespace

void MethodBook::Method::WipeSecrets(google::protobuf::Message& message) const {
  WipeFields(secrets, message);
}

void MethodBook::Add(absl::string_view name, Method method) {
  AddTo(methods_, rows_, name, std::move(method));
}

void MethodBook::AddExchange(absl::string_view name, Method method) {
  AddTo(exchanges_, exchange_rows_, name, std::move(method));
}

void MethodBook::AddTo(Methods& methods, std::vector<const MethodRow*>& rows,
                       absl::string_view name, Method method) {
  method.row = &RowOf(name);
  method.secrets = SecretFieldsOf(*method.request->GetDescriptor());
  rows.push_back(method.row);
  const bool added = methods
                         .emplace(std::string(name.data(), name.size()),
                                  std::make_unique<Method>(std::move(method)))
                         .second;
  if (!added) Die(name, "is served twice");
}

void MethodBook::AddStream(absl::string_view name, Stream stream) {
  stream.row = &RowOf(name);
  stream_rows_.push_back(stream.row);
  const bool added = streams_
                         .emplace(std::string(name.data(), name.size()),
                                  std::make_unique<Stream>(std::move(stream)))
                         .second;
  if (!added) Die(name, "is served twice");
}

void MethodBook::ServeForwarded(
    absl::string_view name,
    std::function<GateAnswer(const ForwardedCheck&)> answer) {
  if (forwarded_.row != nullptr) Die(name, "is served twice");
  forwarded_ = {&RowOf(name), std::move(answer)};
}

const MethodBook::Stream* MethodBook::FindStream(absl::string_view name) const {
  const auto found = streams_.find(name);
  return found == streams_.end() ? nullptr : found->second.get();
}

const MethodBook::Method* MethodBook::Find(absl::string_view name) const {
  const auto found = methods_.find(name);
  return found == methods_.end() ? nullptr : found->second.get();
}

const MethodBook::Method* MethodBook::FindAny(absl::string_view name) const {
  if (const Method* method = Find(name); method != nullptr) return method;
  const auto found = exchanges_.find(name);
  return found == exchanges_.end() ? nullptr : found->second.get();
}

}  // namespace ostiary::door
