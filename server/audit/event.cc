#include "server/audit/event.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ostiary::audit {
namespace {

std::string Text(absl::string_view text) {
  return std::string(text.data(), text.size());
}

// A JSON string. Facts are short and come from inside; bytes outside ASCII are
// kept, control characters escaped.
std::string Quote(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

}  // namespace

Event::Event(absl::string_view action, absl::string_view outcome,
             absl::Time time) {
  row_.action = Text(action);
  row_.outcome = Text(outcome);
  row_.time = time;
}

Event& Event::By(absl::string_view actor, absl::string_view address) {
  row_.actor = Text(actor);
  row_.address = Text(address);
  return *this;
}

Event& Event::About(const AccountId& account_id) {
  row_.account_id = account_id.ToString();
  return *this;
}

Event& Event::About(const SessionId& session_id) {
  row_.session_id = session_id.ToString();
  return *this;
}

Event& Event::Client(absl::string_view client_id) {
  row_.client_id = Text(client_id);
  return *this;
}

Event& Event::With(absl::string_view key, absl::string_view value) {
  facts_.emplace_back(Text(key), Text(value));
  return *this;
}

storage::AuditRow Event::Row() const {
  storage::AuditRow row = row_;
  for (const auto& [key, value] : facts_) {
    absl::StrAppend(&row.detail, row.detail.empty() ? "{" : ",", Quote(key),
                    ":", Quote(value));
  }
  if (!row.detail.empty()) row.detail.push_back('}');
  return row;
}

}  // namespace ostiary::audit
