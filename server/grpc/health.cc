#include "server/grpc/health.h"

#include <memory>
#include <optional>
#include <utility>

#include "server/base/reason.h"
#include "server/grpc/message_bytes.h"

namespace ostiary::rpc {
namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

constexpr int kCheckSlots = 4;
constexpr int kWatchSlots = 1;
// A name of a service is far shorter.
constexpr std::size_t kMaxRequestBytes = 512;

const google::protobuf::ServiceDescriptor& Described() {
  return *HealthCheckRequest::descriptor()->file()->FindServiceByName("Health");
}

int IndexOf(const char* method) {
  return Described().FindMethodByName(method)->index();
}

std::unordered_set<std::string> Known(
    const std::vector<std::string>& services) {
  std::unordered_set<std::string> known(services.begin(), services.end());
  known.insert("");
  known.insert(Described().full_name());
  return known;
}

}  // namespace

// One caller that watches one service. Says its state, and then only changes.
class Health::Watch final : public door::Subscription {
 public:
  Watch(Health& health, std::string service, std::function<void()> wake)
      : health_(health), service_(std::move(service)), wake_(std::move(wake)) {}
  ~Watch() override { health_.Remove(*this); }

  absl::StatusOr<Frame> Next() override {
    const State state = health_.StateOf(service_);
    if (state == said_) return nullptr;
    said_ = state;
    HealthCheckResponse response;
    response.set_status(state);
    return std::make_shared<const std::string>(response.SerializeAsString());
  }

  void Wake() const { wake_(); }

 private:
  Health& health_;
  const std::string service_;
  const std::function<void()> wake_;
  std::optional<State> said_;
};

Health::Health(const door::Door& door, const std::vector<std::string>& services,
               int max_watches, absl::Duration interval)
    : door_(door),
      services_(Known(services)),
      max_watches_(static_cast<std::size_t>(max_watches)),
      interval_(interval),
      service_(Described()),
      check_(CheckMethod()),
      watch_(service_, IndexOf("Watch"), kWatchSlots,
             [this](const ::grpc::ServerContext&, ::grpc::ByteBuffer& request,
                    std::function<void()> wake) {
               return Begin(request, std::move(wake));
             }) {}

Health::~Health() = default;

Method Health::CheckMethod() {
  Method method;
  method.service = &service_;
  method.index = IndexOf("Check");
  method.new_request = [] { return std::make_unique<HealthCheckRequest>(); };
  method.new_response = [] { return std::make_unique<HealthCheckResponse>(); };
  method.max_request_bytes = kMaxRequestBytes;
  method.slots = kCheckSlots;
  method.asked = Asked::kNothing;
  method.serve = [this](const door::CallContext&,
                        google::protobuf::Message& request, door::Reply& reply,
                        door::Door::Done done) {
    const State state =
        StateOf(static_cast<HealthCheckRequest&>(request).service());
    if (state == HealthCheckResponse::SERVICE_UNKNOWN)
      return done(Refuse(Reason::kNotFound));
    static_cast<HealthCheckResponse&>(*reply.message).set_status(state);
    done(absl::OkStatus());
  };
  return method;
}

void Health::Register(::grpc::ServerBuilder& builder) {
  builder.RegisterService(&service_);
}

std::unique_ptr<CallSlots> Health::Arm(Traffic& traffic,
                                       ::grpc::ServerCompletionQueue& queue) {
  auto checks = std::make_unique<CallSlots>(check_, traffic, queue);
  checks->Fill();
  watch_.Arm(traffic, queue);
  if (tick_queue_ == nullptr) {
    tick_queue_ = &queue;
    traffic_ = &traffic;
    ScheduleTick();
  }
  return checks;
}

void Health::Drain() {
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    tick_.Cancel();
  }
  watch_.Drain();
}

Health::State Health::StateOf(const std::string& service) const {
  if (services_.count(service) == 0)
    return HealthCheckResponse::SERVICE_UNKNOWN;
  return door_.Ready() ? HealthCheckResponse::SERVING
                       : HealthCheckResponse::NOT_SERVING;
}

absl::StatusOr<std::unique_ptr<door::Subscription>> Health::Begin(
    ::grpc::ByteBuffer& bytes, std::function<void()> wake) {
  HealthCheckRequest request;
  if (absl::Status s =
          ParseMessage(bytes, kMaxRequestBytes, Remains::kStay, request);
      !s.ok())
    return s;
  auto watch =
      std::make_unique<Watch>(*this, request.service(), std::move(wake));
  absl::MutexLock lock(&mutex_);
  if (watches_.size() >= max_watches_)
    return RefuseUntil(Reason::kOverloaded, absl::Seconds(1));
  watches_.insert(watch.get());
  return watch;
}

void Health::Remove(Watch& watch) {
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
    for (const Watch* watch : watches_) watch->Wake();
  }
  ScheduleTick();
  traffic_->Leave();
}

}  // namespace ostiary::rpc
