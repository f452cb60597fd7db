#ifndef OSTIARY_SERVER_DOOR_ETAG_H_
#define OSTIARY_SERVER_DOOR_ETAG_H_

#include <string>

namespace ostiary::door {

// A strong entity tag of the body, with its quotes.
std::string EtagOf(const std::string& body);

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_ETAG_H_
