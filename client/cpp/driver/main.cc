// Commands in, answers out, one line of JSON each; ends with its input.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <string>

#include "client/cpp/driver/driver.h"

namespace {

boost::json::object AnswerTo(ostiary::driver::Driver& driver,
                             const std::string& line) {
  boost::json::error_code error;
  const boost::json::value command = boost::json::parse(line, error);
  if (error || !command.is_object()) return {{"error", "not a JSON object"}};
  return driver.Answer(command.get_object());
}

}  // namespace

int main() {
  ostiary::driver::Driver driver;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    std::cout << boost::json::serialize(AnswerTo(driver, line)) << std::endl;
  }
}
