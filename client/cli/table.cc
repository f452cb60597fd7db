#include "client/cli/table.h"

#include <algorithm>
#include <utility>

#include "client/cli/printable.h"

namespace ostiary::cli {
namespace {

constexpr std::size_t kGap = 2;

std::string LineOf(const std::vector<std::string>& cells,
                   const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 == cells.size()) break;
    line.append(widths[i] - WidthOf(cells[i]) + kGap, ' ');
  }
  return line;
}

}  // namespace

Table::Table(std::vector<std::string> header) : widths_(header.size()) {
  AddRow(std::move(header));
}

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(widths_.size());
  for (std::string& cell : cells) cell = cell.empty() ? "-" : Printable(cell);
  Widen(cells);
  rows_.push_back(std::move(cells));
}

void Table::Flush(std::ostream& out) {
  for (const auto& row : rows_) out << LineOf(row, widths_) << '\n';
  rows_.clear();
}

void Table::Widen(const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    widths_[i] = std::max(widths_[i], WidthOf(cells[i]));
  }
}

}  // namespace ostiary::cli
