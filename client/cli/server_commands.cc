// health, version, server info.

#include <memory>
#include <string>

#include "client/cli/registry.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "ostiary/v1/admin_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

absl::StatusOr<ExitCode> CheckHealth(Invocation& run,
                                     const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  const auto response = run.Call<Health>(&Health::Stub::Check, request);
  if (!response.ok()) return response.status();
  const absl::StatusOr<ExitCode> shown = run.Answer(*response);
  if (!shown.ok()) return shown;
  return response->status() == HealthCheckResponse::SERVING
             ? ExitCode::kOk
             : ExitCode::kUnavailable;
}

absl::StatusOr<ExitCode> ShowInfo(Invocation& run) {
  const auto response = run.Call<v1::AdminService>(
      &v1::AdminService::Stub::GetServerInfo, v1::GetServerInfoRequest());
  if (!response.ok()) return response.status();
  return run.Answer(*response);
}

absl::StatusOr<ExitCode> ShowVersion(Invocation& run) {
  if (run.format() == Format::kJson) {
    run.out() << "{\"version\":\"" << OSTIARY_VERSION << "\"}\n";
  } else {
    run.out() << "ostiary " << OSTIARY_VERSION << '\n';
  }
  return ExitCode::kOk;
}

}  // namespace

void AddServerCommands(Registry& registry) {
  auto service = std::make_shared<std::string>();
  CLI::App& health = registry.Add(
      registry.root(), "health",
      "Asks whether the server takes calls; exit code 3 if it does not.",
      "ostiary health",
      [service](Invocation& run) { return CheckHealth(run, *service); });
  health.add_option("--service", *service,
                    "Full name of one service (the whole server)");
  registry.Add(registry.root(), "version", "Tells this program's version.",
               "ostiary version", ShowVersion);
  CLI::App& server = registry.Group("server", "The server itself.");
  registry.Add(server, "info", "Tells what runs there and how far it is.",
               "ostiary server info", ShowInfo);
}

}  // namespace ostiary::cli
