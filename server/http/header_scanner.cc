#include "server/http/header_scanner.h"

namespace ostiary::http {

HeaderScanner::State HeaderScanner::Refuse(int status) {
  status_ = status;
  return State::kRefused;
}

bool HeaderScanner::CountLine() {
  ++lines_;
  return lines_ <= limits_.header_fields + 1;
}

HeaderScanner::State HeaderScanner::Scan(absl::string_view received) {
  for (; at_ < received.size(); ++at_) {
    if (at_ >= limits_.header) return Refuse(lines_ == 0 ? 414 : 431);
    const char c = received[at_];
    if (after_cr_ != (c == '\n')) return Refuse(400);
    if (c == '\0') return Refuse(400);
    if (c == '\r') {
      after_cr_ = true;
      continue;
    }
    if (c == '\n') {
      after_cr_ = false;
      const bool empty = at_ - line_begin_ == 1;
      line_begin_ = at_ + 1;
      if (empty && lines_ == 0) return Refuse(400);
      if (empty) {
        ++at_;
        return State::kComplete;
      }
      if (!CountLine()) return Refuse(431);
      continue;
    }
    const bool folded = at_ == line_begin_ && (c == ' ' || c == '\t');
    if (folded) return Refuse(400);
    if (lines_ == 0 && at_ >= limits_.request_line) return Refuse(414);
  }
  return State::kNeedMore;
}

}  // namespace ostiary::http
