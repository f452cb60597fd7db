#ifndef OSTIARY_CLIENT_CLI_TABLE_H_
#define OSTIARY_CLIENT_CLI_TABLE_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace ostiary::cli {

// Aligned columns on a terminal, two spaces apart. Cells are made printable.
class Table {
 public:
  // An empty cell is shown as "-", so that no column seems to be missing.
  explicit Table(std::vector<std::string> header);

  // Requires as many cells as the header has.
  void AddRow(std::vector<std::string> cells);

  // Writes what was added since the last call; the header goes before the
  // first row ever. Columns only grow, so pages written one after the other
  // stay readable.
  void Flush(std::ostream& out);

 private:
  void Widen(const std::vector<std::string>& cells);

  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_TABLE_H_
