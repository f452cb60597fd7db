#include "server/grpc/health.h"

#include <utility>

#include "server/base/reason.h"
#include "server/grpc/health_watch.h"

namespace ostiary::rpc {
namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

constexpr int kCheckSlots = 4;

const google::protobuf::ServiceDescriptor& Described() {
  return *HealthCheckRequest::descriptor()->file()->FindServiceByName("Health");
}

std::unordered_set<std::string> Known(
    const std::vector<std::string>& services) {
  std::unordered_set<std::string> known(services.begin(), services.end());
  known.insert("");
  known.insert(Described().full_name());
  return known;
}

}  // namespace

Health::Health(const door::Door& door, const std::vector<std::string>& services,
               int max_watches, absl::Duration interval)
    : door_(door),
      services_(Known(services)),
      max_watches_(static_cast<std::size_t>(max_watches)),
      interval_(interval),
      service_(Described()),
      check_(CheckMethod()) {}

Health::~Health() = default;

Method Health::CheckMethod() {
  Method method;
  method.service = &service_;
  method.index = Described().FindMethodByName("Check")->index();
  method.new_request = [] { return std::make_unique<HealthCheckRequest>(); };
  method.new_response = [] { return std::make_unique<HealthCheckResponse>(); };
  method.max_request_bytes = kMaxRequestBytes;
  method.slots = kCheckSlots;
  method.serve =
      [this](const door::CallContext&, google::protobuf::Message& request,
             google::protobuf::Message& response, door::Door::Done done) {
        const State state =
            StateOf(static_cast<HealthCheckRequest&>(request).service());
        if (state == HealthCheckResponse::SERVICE_UNKNOWN)
          return done(Refuse(Reason::kNotFound));
        static_cast<HealthCheckResponse&>(response).set_status(state);
        done(absl::OkStatus());
      };
  return method;
}

int Health::WatchIndex() {
  return Described().FindMethodByName("Watch")->index();
}

void Health::Register(::grpc::ServerBuilder& builder) {
  builder.RegisterService(&service_);
}

std::unique_ptr<CallSlots> Health::Arm(Traffic& traffic,
                                       ::grpc::ServerCompletionQueue& queue) {
  auto checks = std::make_unique<CallSlots>(check_, traffic, queue);
  checks->Fill();
  HealthWatch::Arm(*this, service_, traffic, queue);
  if (tick_queue_ == nullptr) {
    tick_queue_ = &queue;
    traffic_ = &traffic;
    ScheduleTick();
  }
  return checks;
}

void Health::Drain() {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  tick_.Cancel();
  for (HealthWatch* watch : watches_) watch->End(Refuse(Reason::kNotReady));
}

Health::State Health::StateOf(const std::string& service) const {
  if (services_.count(service) == 0)
    return HealthCheckResponse::SERVICE_UNKNOWN;
  return door_.Ready() ? HealthCheckResponse::SERVING
                       : HealthCheckResponse::NOT_SERVING;
}

absl::Status Health::Add(HealthWatch& watch) {
  absl::MutexLock lock(&mutex_);
  if (draining_) return Refuse(Reason::kNotReady);
  if (watches_.size() >= max_watches_)
    return RefuseUntil(Reason::kOverloaded, absl::Seconds(1));
  watches_.insert(&watch);
  return absl::OkStatus();
}

void Health::Remove(HealthWatch& watch) {
  absl::MutexLock lock(&mutex_);
  watches_.erase(&watch);
}

void Health::ScheduleTick() {
  absl::MutexLock lock(&mutex_);
  if (draining_ || !traffic_->Join()) return;
  tick_.Set(tick_queue_, absl::ToChronoTime(absl::Now() + interval_),
            on_tick_.Tag());
}

void Health::OnTick(bool) {
  {
    absl::MutexLock lock(&mutex_);
    for (HealthWatch* watch : watches_)
      watch->Push(StateOf(watch->service_name()));
  }
  ScheduleTick();
  traffic_->Leave();
}

}  // namespace ostiary::rpc
