#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "client/status_list/status_list.h"
#include "client/status_list/status_reference.h"

// Whatever comes in, a list is bounded, answers within its bounds and nothing
// beyond them.

namespace {

void Require(bool held, const char* rule) {
  if (held) return;
  std::cerr << "broken: " << rule << std::endl;
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using ostiary::status_list::StatusList;
  const std::string input(reinterpret_cast<const char*>(data), size);
  ostiary::status_list::ReadStatusReference(input);
  const auto list = StatusList::FromJson(input);
  if (!list.ok()) return 0;

  const std::uint64_t most =
      ostiary::status_list::kMaxListBytes * 8 / list->bits();
  Require(list->size() <= most, "a list is bounded");
  Require(!list->At(list->size()).has_value(), "nothing beyond the end");
  for (const std::uint64_t index : {std::uint64_t{0}, list->size() / 2}) {
    if (index >= list->size()) continue;
    Require(*list->At(index) < (1 << list->bits()), "a status fits its bits");
  }
  return 0;
}
