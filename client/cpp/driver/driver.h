#ifndef OSTIARY_CLIENT_CPP_DRIVER_DRIVER_H_
#define OSTIARY_CLIENT_CPP_DRIVER_DRIVER_H_

#include <boost/json/object.hpp>
#include <memory>

#include "ostiary/verifier.h"

namespace ostiary::driver {

// One verifier and the commands of tests/behaviour/README.md. Not thread-safe.
class Driver {
 public:
  // The answer; {"error": ...} for what cannot be carried out.
  boost::json::object Answer(const boost::json::object& command);

 private:
  using Object = boost::json::object;

  Object Open(const Object& command);
  Object Verify(const Object& command) const;
  Object WaitFor(const Object& command) const;
  Object WaitReady(const Object& command) const;
  Object Spin(const Object& command) const;
  Object Status() const;

  std::unique_ptr<Verifier> verifier_;
};

}  // namespace ostiary::driver

#endif  // OSTIARY_CLIENT_CPP_DRIVER_DRIVER_H_
