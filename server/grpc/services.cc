#include "server/grpc/services.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/empty.pb.h"
#include "server/base/reason.h"
#include "server/door/secret_fields.h"
#include "server/grpc/call_context.h"
#include "server/grpc/message_bytes.h"

namespace ostiary::rpc {
namespace {

// A method without a row does not serve, and says so. Its request is not
// looked at: any bytes are a message without fields.
Method UnknownMethod() {
  Method method;
  method.max_request_bytes = static_cast<std::size_t>(-1);
  method.new_request = method.new_response = [] {
    return std::make_unique<google::protobuf::Empty>();
  };
  method.serve = [](const door::CallContext&, google::protobuf::Message&,
                    door::Reply&, door::Door::Done done) {
    done(Refuse(Reason::kMethodUnknown));
  };
  return method;
}

Method ServedBy(door::Door& door, const door::MethodRow& row) {
  Method method;
  method.new_request = [&door, &row] { return door.NewRequest(row); };
  method.new_response = [&door, &row] { return door.NewResponse(row); };
  method.answering = row.lane == door::LaneName::kInline ? Answering::kInline
                                                         : Answering::kLane;
  method.max_request_bytes = row.max_request_bytes;
  const bool holds_secrets =
      door::HoldsSecrets(*method.new_request()->GetDescriptor()) ||
      door::HoldsSecrets(*method.new_response()->GetDescriptor());
  method.remains = holds_secrets ? Remains::kAreWiped : Remains::kStay;
  method.slots = std::max(row.slots, 1);
  method.asked = AskedBy(row);
  method.serve = [&door, &row](const door::CallContext& context,
                               google::protobuf::Message& request,
                               door::Reply& answer, door::Door::Done done) {
    door.Dispatch(row, context, request, answer, std::move(done));
  };
  return method;
}

const door::MethodRow* FindRow(const std::vector<const door::MethodRow*>& rows,
                               absl::string_view name) {
  for (const door::MethodRow* row : rows)
    if (row->name == name) return row;
  return nullptr;
}

StreamMethod::Begin BegunBy(door::Door& door, const door::MethodRow& row) {
  return [&door, &row](const ::grpc::ServerContext& call,
                       ::grpc::ByteBuffer& bytes, std::function<void()> wake)
             -> absl::StatusOr<std::unique_ptr<door::Subscription>> {
    const auto request = door.NewRequest(row);
    absl::Status s =
        ParseMessage(bytes, row.max_request_bytes, Remains::kStay, *request);
    if (!s.ok()) return s;
    door::CallContext context;
    FillCallContext(call, AskedBy(row), context);
    return door.Subscribe(row, context, *request, std::move(wake));
  };
}

}  // namespace

absl::StatusOr<std::unique_ptr<Services>> Services::Create(door::Door& door) {
  std::unique_ptr<Services> services(new Services(door));
  if (absl::Status s = services->AddServices(); !s.ok()) return s;
  for (RawService& service : services->services_) services->AddMethods(service);
  return services;
}

absl::Status Services::AddServices() {
  std::vector<const door::MethodRow*> rows = door_.Methods();
  for (const auto& more : {door_.Streams(), door_.Exchanges()})
    rows.insert(rows.end(), more.begin(), more.end());
  for (const door::MethodRow* row : rows) {
    const std::vector<std::string> name =
        absl::StrSplit(std::string(row->name), '/');
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
            name.front());
    if (service == nullptr ||
        service->FindMethodByName(name.back()) == nullptr) {
      return absl::InternalError(absl::StrCat(
          "gRPC: the policy table has a row for ", std::string(row->name),
          ", but the contract has no such method"));
    }
    const bool added = std::any_of(
        services_.begin(), services_.end(),
        [&](const RawService& one) { return &one.described() == service; });
    if (!added) services_.emplace_back(*service);
  }
  return absl::OkStatus();
}

void Services::AddMethods(RawService& service) {
  const google::protobuf::ServiceDescriptor& described = service.described();
  for (int i = 0; i < described.method_count(); ++i) {
    const std::string name =
        absl::StrCat(described.full_name(), "/", described.method(i)->name());
    if (const auto* stream = FindRow(door_.Streams(), name)) {
      streams_.emplace_back(service, i, stream->slots, BegunBy(door_, *stream));
      continue;
    }
    const auto* exchange = FindRow(door_.Exchanges(), name);
    const auto* row = exchange != nullptr ? exchange : door_.Find(name);
    Method method = row == nullptr ? UnknownMethod() : ServedBy(door_, *row);
    method.service = &service;
    method.index = i;
    if (described.method(i)->client_streaming()) {
      exchanges_.emplace_back(std::move(method));
    } else {
      methods_.push_back(std::move(method));
    }
  }
}

std::vector<std::string> Services::names() const {
  std::vector<std::string> names;
  for (const RawService& service : services_)
    names.push_back(service.described().full_name());
  return names;
}

std::size_t Services::LargestRequest() const {
  std::size_t largest = 0;
  for (const auto& rows : {door_.Methods(), door_.Exchanges()})
    for (const door::MethodRow* row : rows)
      largest = std::max(largest, row->max_request_bytes);
  return largest;
}

void Services::Register(::grpc::ServerBuilder& builder) {
  for (RawService& service : services_) builder.RegisterService(&service);
}

std::vector<std::unique_ptr<CallSlots>> Services::Arm(
    Traffic& traffic, ::grpc::ServerCompletionQueue& queue) {
  std::vector<std::unique_ptr<CallSlots>> armed;
  for (const Method& method : methods_) {
    armed.push_back(std::make_unique<CallSlots>(method, traffic, queue));
    armed.back()->Fill();
  }
  for (StreamMethod& stream : streams_) stream.Arm(traffic, queue);
  for (ExchangeMethod& exchange : exchanges_) exchange.Arm(traffic, queue);
  return armed;
}

void Services::DrainStreams() {
  for (StreamMethod& stream : streams_) stream.Drain();
  for (ExchangeMethod& exchange : exchanges_) exchange.Drain();
}

}  // namespace ostiary::rpc
