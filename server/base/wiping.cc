#include "server/base/wiping.h"

namespace ostiary {

constinit thread_local bool wipes_freed_memory = false;

}  // namespace ostiary
