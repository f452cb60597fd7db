#ifndef OSTIARY_SERVER_DOOR_POLICY_H_
#define OSTIARY_SERVER_DOOR_POLICY_H_

#include <vector>

#include "server/door/method.h"

namespace ostiary::door {

// The policy table: who may call what, where it runs, how large it may be. A
// method that is not here does not serve. Rows live for ever.
const std::vector<MethodRow>& PolicyTable();

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_POLICY_H_
