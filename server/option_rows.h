#ifndef OSTIARY_SERVER_OPTION_ROWS_H_
#define OSTIARY_SERVER_OPTION_ROWS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/config.h"

namespace ostiary {

enum class Arity {
  kSwitch,  // --name alone means on
  kOne,
  kList,  // repeated, or separated by commas; "off" or "none" where so said
};

// One option, declared once: its flag, its environment variable, its key in
// the file, its line in the help and its line in the README all come from this
// row.
struct OptionRow {
  std::string name;     // "grpc-listen"
  std::string subject;  // the heading it stands under
  Arity arity = Arity::kOne;
  // As it would be typed; empty with a note: worked out from other options.
  std::string default_text;
  std::string default_note;
  // The type, unit and range; continues "expected ...".
  std::string expects;
  std::string help;
  bool in_file = true;  // false: cannot be set by the file itself
  bool hidden = false;  // may hold a secret: its value is never repeated

  // Takes the values into the config; false if one is not as expected.
  std::function<bool(const std::vector<std::string>&, Config&)> set;
  // A sentence for whoever typed `value` and was refused; may be absent.
  std::function<std::string(absl::string_view)> advise;
  // The effective value, as it would be typed.
  std::function<std::string(const Config&)> show;

  std::string Flag() const;         // "--grpc-listen"
  std::string Environment() const;  // "OSTIARY_GRPC_LISTEN"
  // What the help and the table show.
  std::string DefaultShown() const;
};

// All of them, in the order they are shown; one subject's rows stand together.
const std::vector<OptionRow>& OptionRows();

// nullptr if there is none.
const OptionRow* FindOptionRow(absl::string_view name);
const OptionRow* FindOptionRowByEnvironment(absl::string_view variable);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_OPTION_ROWS_H_
