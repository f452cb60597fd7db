#include "server/key/schedule.h"

#include "absl/strings/str_cat.h"

namespace ostiary::key {
namespace {

// .NET's configuration cache refreshes every 12 hours whatever we say; the
// document it then gets may have been in a shared cache for max-age.
constexpr absl::Duration kSlowestConsumerCache = absl::Hours(12);
// The largest leeway a verifier of ours grants on exp.
constexpr absl::Duration kLargestLeeway = absl::Minutes(5);
constexpr absl::Duration kShortestMaxAge = absl::Minutes(1);
// Beyond it a schedule is a mistake in the unit.
constexpr absl::Duration kLongest = absl::Hours(24 * 366 * 10);

absl::Status Wrong(absl::string_view option, absl::Duration value,
                   absl::Duration at_least, absl::string_view because) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, "=", absl::FormatDuration(value), ": expected ",
                   absl::FormatDuration(at_least), " or more, ", because));
}

absl::Status CheckUpperBounds(const Schedule& schedule) {
  const std::pair<absl::string_view, absl::Duration> options[] = {
      {"--key-rotation-period", schedule.rotation_period},
      {"--key-prepare-lead", schedule.prepare_lead},
      {"--key-retire-keep", schedule.retire_keep},
      {"--jwks-max-age", schedule.jwks_max_age}};
  for (const auto& [option, value] : options) {
    if (value <= kLongest) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(option, "=", absl::FormatDuration(value),
                     ": expected at most ", absl::FormatDuration(kLongest)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateSchedule(const Schedule& schedule) {
  if (auto s = CheckUpperBounds(schedule); !s.ok()) return s;
  if (schedule.jwks_max_age < kShortestMaxAge) {
    return Wrong("--jwks-max-age", schedule.jwks_max_age, kShortestMaxAge,
                 "or every reader would fetch the keys for every token");
  }
  const absl::Duration lead = kSlowestConsumerCache + schedule.jwks_max_age;
  if (schedule.prepare_lead < lead) {
    return Wrong("--key-prepare-lead", schedule.prepare_lead, lead,
                 "because consumers keep the keys for up to 12 h on top of "
                 "--jwks-max-age and would meet a token of a key they have "
                 "not seen");
  }
  if (schedule.rotation_period < schedule.prepare_lead) {
    return Wrong("--key-rotation-period", schedule.rotation_period,
                 schedule.prepare_lead,
                 "because the next key is published for --key-prepare-lead "
                 "before it signs");
  }
  const absl::Duration keep = kAccessLifetimeCap + kLargestLeeway;
  if (schedule.retire_keep < keep) {
    return Wrong("--key-retire-keep", schedule.retire_keep, keep,
                 "because tokens live up to 24 h and verifiers grant a leeway "
                 "of up to 5 min");
  }
  return absl::OkStatus();
}

std::string CacheControlOf(const Schedule& schedule) {
  return absl::StrCat("public, max-age=",
                      absl::ToInt64Seconds(schedule.jwks_max_age));
}

}  // namespace ostiary::key
