#include "server/grpc/limits.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/resource_quota.h"

namespace ostiary::rpc {
namespace {

// Reflection is the library's and synchronous: each open stream of it holds a
// thread, so this bounds what an unknown caller can make us start.
constexpr int kMaxReflectionThreads = 8;
constexpr int kMaxPingStrikes = 2;

class ReflectionOption final : public ::grpc::ServerBuilderOption {
 public:
  explicit ReflectionOption(Reflection reflection) : reflection_(reflection) {}

  void UpdateArguments(::grpc::ChannelArguments*) override {}

  // Linking the plugin may already have added it, to every server.
  void UpdatePlugins(std::vector<std::unique_ptr<::grpc::ServerBuilderPlugin>>*
                         plugins) override {
    using Plugin = ::grpc::reflection::ProtoServerReflectionPlugin;
    plugins->erase(
        std::remove_if(plugins->begin(), plugins->end(),
                       [](const auto& plugin) {
                         return dynamic_cast<Plugin*>(plugin.get()) != nullptr;
                       }),
        plugins->end());
    if (reflection_ == Reflection::kOn)
      plugins->push_back(std::make_unique<Plugin>());
  }

 private:
  const Reflection reflection_;
};

int Millis(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

}  // namespace

void SetLimits(const ServerOptions& options, std::size_t largest_request,
               ::grpc::ServerBuilder& builder) {
  const auto set = [&](const char* name, int value) {
    builder.AddChannelArgument(name, value);
  };
  // Two servers on one port would share its callers without a word.
  set(GRPC_ARG_ALLOW_REUSEPORT, 0);
  set(GRPC_ARG_MAX_METADATA_SIZE, options.max_metadata_bytes);
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams);
  set(GRPC_ARG_MAX_CONNECTION_AGE_MS, Millis(options.max_connection_age));
  set(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, Millis(options.age_grace));
  set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Millis(options.max_connection_idle));
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      Millis(options.min_ping_interval));
  set(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes);
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_KEEPALIVE_TIME_MS, Millis(options.keepalive_interval));
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis(options.keepalive_timeout));
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Millis(options.handshake_timeout));
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(std::max(options.max_message_bytes, largest_request)));
}

void SetReflection(Reflection reflection, ::grpc::ServerBuilder& builder) {
  builder.SetOption(std::make_unique<ReflectionOption>(reflection));
  ::grpc::ResourceQuota quota("ostiary");
  quota.SetMaxThreads(kMaxReflectionThreads);
  builder.SetResourceQuota(quota);
  using Sync = ::grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(Sync::NUM_CQS, 1);
  builder.SetSyncServerOption(Sync::MIN_POLLERS, 1);
  builder.SetSyncServerOption(Sync::MAX_POLLERS, 1);
}

}  // namespace ostiary::rpc
