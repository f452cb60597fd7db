#include "server/door/house_door.h"

#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "server/base/reason.h"
#include "server/door/gate.h"
#include "storage/fail_point.h"

namespace ostiary::door {
namespace {

constexpr std::size_t kIncidentBytes = 6;
// A queue this full empties in about this time.
constexpr absl::Duration kComeBackAfter = absl::Seconds(1);
// Somebody has to make room first.
constexpr absl::Duration kLookForRoomAfter = absl::Seconds(5);
constexpr std::size_t kCodes = 17;

// For the figures.
absl::Status StatusOf(const GateAnswer& answer) {
  switch (answer.status) {
    case 200:
      return absl::OkStatus();
    case 401:
      return Refuse(Reason::kUnauthenticated);
    case 403:
      return Refuse(Reason::kPermissionDenied);
    default:
      return Refuse(Reason::kNotReady);
  }
}

// A stream whose caller showed a token, and goes on while that token is good:
// asked before each frame, so that who is revoked is told nothing more.
class AdmittedSubscription final : public Subscription {
 public:
  AdmittedSubscription(const Admission& admission, const MethodRow& row,
                       CallContext context,
                       std::unique_ptr<Subscription> subscription)
      : admission_(admission),
        row_(row),
        context_(std::move(context)),
        subscription_(std::move(subscription)) {}

  absl::StatusOr<Frame> Next() override {
    absl::StatusOr<flow::Caller> caller = admission_.Admit(row_, context_);
    if (!caller.ok()) return caller.status();
    return subscription_->Next();
  }

 private:
  const Admission& admission_;
  const MethodRow& row_;
  const CallContext context_;
  const std::unique_ptr<Subscription> subscription_;
};

}  // namespace

// One counter for each code a method can answer, made when it first does.
struct HouseDoor::Figures {
  LatencyHistogram* latency = nullptr;
  std::array<std::atomic<Counter*>, kCodes> calls{};
};

HouseDoor::HouseDoor(Parts parts) : parts_(std::move(parts)) {
  std::vector<const MethodRow*> rows = parts_.methods.rows();
  for (const auto* more :
       {&parts_.methods.stream_rows(), &parts_.methods.exchange_rows()})
    rows.insert(rows.end(), more->begin(), more->end());
  if (const MethodRow* row = parts_.methods.forwarded().row; row != nullptr)
    rows.push_back(row);
  for (const MethodRow* row : rows) {
    auto figures = std::make_unique<Figures>();
    figures->latency = &parts_.metrics.FindLatency(
        "ostiary_call_seconds", "How long a method took to answer.",
        {{"method", std::string(row->name)}});
    figures_.emplace(row, std::move(figures));
  }
}

HouseDoor::~HouseDoor() = default;

const MethodRow* HouseDoor::Find(absl::string_view name) const {
  const MethodBook::Method* method = parts_.methods.Find(name);
  return method == nullptr ? nullptr : method->row;
}

std::unique_ptr<google::protobuf::Message> HouseDoor::NewRequest(
    const MethodRow& row) const {
  const MethodBook::Stream* stream = parts_.methods.FindStream(row.name);
  const google::protobuf::Message* prototype =
      stream != nullptr ? stream->request
                        : parts_.methods.FindAny(row.name)->request;
  return std::unique_ptr<google::protobuf::Message>(prototype->New());
}

std::unique_ptr<google::protobuf::Message> HouseDoor::NewResponse(
    const MethodRow& row) const {
  return std::unique_ptr<google::protobuf::Message>(
      parts_.methods.FindAny(row.name)->response->New());
}

void HouseDoor::Dispatch(const MethodRow& row, const CallContext& context,
                         google::protobuf::Message& request, Reply& reply,
                         Done done) {
  const MethodBook::Method& method = *parts_.methods.FindAny(row.name);
  // Asked before a call is taken: what was taken is finished while draining.
  if (!Ready())
    return done(TurnAway(method, request, Refuse(Reason::kNotReady)));
  if (row.lane == LaneName::kInline)
    return done(Serve(method, context, request, reply));
  if (method.act_at_once != nullptr) {
    std::optional<absl::Status> status =
        ServeAtOnce(method, context, request, reply);
    if (status.has_value()) return done(*std::move(status));
  }
  auto shared_done = std::make_shared<Done>(std::move(done));
  const bool taken = LaneOf(row.lane).TrySubmit(
      [this, &method, &context, &request, &reply, shared_done] {
        (*shared_done)(Serve(method, context, request, reply));
      });
  if (taken) return;
  (*shared_done)(TurnAway(method, request,
                          RefuseUntil(Reason::kOverloaded, kComeBackAfter)));
}

// Of a call that never began.
absl::Status HouseDoor::TurnAway(const MethodBook::Method& method,
                                 google::protobuf::Message& request,
                                 absl::Status refused) {
  method.WipeSecrets(request);
  Count(*method.row, refused, absl::ZeroDuration());
  return refused;
}

absl::Status HouseDoor::Serve(const MethodBook::Method& method,
                              const CallContext& context,
                              google::protobuf::Message& request,
                              Reply& reply) {
  const absl::Time began = absl::Now();
  const absl::StatusOr<flow::Caller> caller = Begin(*method.row, context);
  return Conclude(
      method, request, began,
      caller.ok() ? method.act(*caller, request, reply) : caller.status());
}

std::optional<absl::Status> HouseDoor::ServeAtOnce(
    const MethodBook::Method& method, const CallContext& context,
    google::protobuf::Message& request, Reply& reply) {
  const absl::Time began = absl::Now();
  const absl::StatusOr<flow::Caller> caller = Begin(*method.row, context);
  std::optional<absl::Status> status =
      caller.ok() ? method.act_at_once(request, reply)
                  : std::make_optional(caller.status());
  if (!status.has_value()) return std::nullopt;
  return Conclude(method, request, began, *std::move(status));
}

absl::StatusOr<flow::Caller> HouseDoor::Begin(
    const MethodRow& row, const CallContext& context) const {
  if (context.cancelled != nullptr && context.cancelled())
    return Refuse(Reason::kCancelled);
  if (context.deadline != absl::InfiniteFuture() &&
      parts_.clock.Now() >= context.deadline) {
    return Refuse(Reason::kDeadlineExceeded);
  }
  return parts_.admission.Admit(row, context);
}

absl::Status HouseDoor::Conclude(const MethodBook::Method& method,
                                 google::protobuf::Message& request,
                                 absl::Time began, absl::Status status) {
  status = MakePublic(*method.row, std::move(status));
  method.WipeSecrets(request);
  Count(*method.row, status, absl::Now() - began);
  Pass(storage::FailPoint::kReplyBefore);
  return status;
}

absl::StatusOr<std::unique_ptr<Subscription>> HouseDoor::Subscribe(
    const MethodRow& row, const CallContext& context,
    const google::protobuf::Message& request, std::function<void()> wake) {
  const MethodBook::Stream& stream = *parts_.methods.FindStream(row.name);
  const absl::Time began = absl::Now();
  auto subscription =
      AdmitAndSubscribe(stream, context, request, std::move(wake));
  const absl::Status status = MakePublic(row, subscription.status());
  // A stream is counted when it has begun; how long it lasts says nothing.
  Count(row, status, absl::Now() - began);
  if (!status.ok()) return status;
  return subscription;
}

absl::StatusOr<std::unique_ptr<Subscription>> HouseDoor::AdmitAndSubscribe(
    const MethodBook::Stream& stream, const CallContext& context,
    const google::protobuf::Message& request, std::function<void()> wake) {
  if (!Ready()) return Refuse(Reason::kNotReady);
  absl::StatusOr<flow::Caller> caller =
      parts_.admission.Admit(*stream.row, context);
  if (!caller.ok()) return caller.status();
  auto subscription = stream.subscribe(request, std::move(wake));
  if (!subscription.ok() || context.authorization.empty()) return subscription;
  return std::make_unique<AdmittedSubscription>(
      parts_.admission, *stream.row, context, *std::move(subscription));
}

GateAnswer HouseDoor::AskGate(const ForwardedCheck& asked) {
  const MethodBook::Forwarded& forwarded = parts_.methods.forwarded();
  if (forwarded.row == nullptr) return UndecidedAnswer();
  const absl::Time began = absl::Now();
  GateAnswer answer = Ready() ? forwarded.answer(asked) : UndecidedAnswer();
  Count(*forwarded.row, StatusOf(answer), absl::Now() - began);
  return answer;
}

// What is inside a status of ours may leave; anything else becomes an incident
// that the log can explain. A full disk is none: it would fill the log, too.
absl::Status HouseDoor::MakePublic(const MethodRow& row, absl::Status status) {
  if (status.ok() || HasReason(status)) return status;
  if (ReasonOf(status) == Reason::kStoreFull)
    return RefuseUntil(Reason::kStoreFull, kLookForRoomAfter);
  const std::string incident =
      absl::BytesToHexString(parts_.random.Bytes(kIncidentBytes));
  parts_.logger.Error("a call failed", {{"incident", incident},
                                        {"method", std::string(row.name)},
                                        {"status", status.ToString()}});
  const Reason reason = ReasonOf(status);
  return Refuse(reason, absl::StrCat(ReasonSentence(reason), " Incident ",
                                     incident, "."));
}

Lane& HouseDoor::LaneOf(LaneName name) const {
  switch (name) {
    case LaneName::kPassword:
      return parts_.password_lane;
    case LaneName::kSlow:
      return parts_.slow_lane;
    case LaneName::kInline:
    case LaneName::kStore:
    case LaneName::kStream:
      break;
  }
  return parts_.store_lane;
}

void HouseDoor::Count(const MethodRow& row, const absl::Status& status,
                      absl::Duration took) {
  Figures& figures = *figures_.at(&row);
  figures.latency->Observe(took);
  std::atomic<Counter*>& slot =
      figures.calls[static_cast<std::size_t>(status.code())];
  Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &parts_.metrics.FindCounter(
        "ostiary_calls_total", "Calls answered, by method and code.",
        {{"method", std::string(row.name)},
         {"code", absl::StatusCodeToString(status.code())}});
    slot.store(counter, std::memory_order_release);
  }
  counter->Increment();
}

std::shared_ptr<const Document> HouseDoor::FindDocument(
    absl::string_view path) const {
  const auto source = parts_.documents.find(path);
  if (source != parts_.documents.end()) return source->second();
  for (const Shelf& shelf : parts_.shelves) {
    absl::string_view name = path;
    if (absl::ConsumePrefix(&name, shelf.path)) return shelf.find(name);
  }
  return nullptr;
}

}  // namespace ostiary::door
