#include "tests/storage/corruption/damage.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ostiary::testing {
namespace {

constexpr std::size_t kPage = 4096;
constexpr const char* kNames[] = {
    "a bit flipped",     "eight bits flipped",   "512 bytes zeroed",
    "4096 bytes zeroed", "512 bytes of garbage", "two pages swapped",
    "truncated",         "an older page",        "older pages"};

std::size_t Pick(std::mt19937_64& chance, std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(chance);
}

std::string ChooseFile(const StoreFiles& files, std::mt19937_64& chance) {
  const bool has_log = files.count("-wal") == 1;
  switch (Pick(chance, 10)) {
    case 0:
      return "-sums";
    case 1:
      return files.count("-shm") == 1 ? "-shm" : "";
    case 2:
    case 3:
    case 4:
    case 5:
      return has_log ? "-wal" : "";
    default:
      return "";
  }
}

void FlipBit(std::string& file, std::mt19937_64& chance) {
  file[Pick(chance, file.size())] ^= static_cast<char>(1 << Pick(chance, 8));
}

// Where a sector of `size` begins.
std::size_t Sector(const std::string& file, std::size_t size,
                   std::mt19937_64& chance) {
  return Pick(chance, std::max<std::size_t>(file.size() / size, 1)) * size;
}

void Fill(std::string& file, std::size_t at, std::size_t size,
          std::mt19937_64* chance) {
  const std::size_t end = std::min(file.size(), at + size);
  for (; at < end; ++at)
    file[at] = chance == nullptr ? '\0' : static_cast<char>((*chance)());
}

// The places of pages: those of a log come after headers.
std::size_t PageAt(const std::string& name, std::size_t page) {
  return name == "-wal" ? 32 + 24 + page * (24 + kPage) : page * kPage;
}

std::size_t Pages(const std::string& name, const std::string& file) {
  std::size_t pages = 0;
  while (PageAt(name, pages) + kPage <= file.size()) ++pages;
  return pages;
}

void SwapPages(const std::string& name, std::string& file,
               std::mt19937_64& chance) {
  const std::size_t pages = Pages(name, file);
  if (pages < 2) return FlipBit(file, chance);
  const std::size_t a = Pick(chance, pages);
  const std::size_t b = (a + 1 + Pick(chance, pages - 1)) % pages;
  std::swap_ranges(file.begin() + static_cast<long>(PageAt(name, a)),
                   file.begin() + static_cast<long>(PageAt(name, a) + kPage),
                   file.begin() + static_cast<long>(PageAt(name, b)));
}

void PutOlder(const std::string& name, std::string& file,
              const std::string& older, double share, std::mt19937_64& chance) {
  std::vector<std::size_t> changed;
  const std::size_t pages = std::min(Pages(name, file), Pages(name, older));
  for (std::size_t page = 0; page < pages; ++page) {
    const std::size_t at = PageAt(name, page);
    if (file.compare(at, kPage, older, at, kPage) != 0) changed.push_back(at);
  }
  if (changed.empty()) return FlipBit(file, chance);
  std::shuffle(changed.begin(), changed.end(), chance);
  changed.resize(std::max<std::size_t>(
      1,
      static_cast<std::size_t>(share * static_cast<double>(changed.size()))));
  for (const std::size_t at : changed)
    file.replace(at, kPage, older, at, kPage);
}

}  // namespace

StoreFiles CopyFrom(const std::string& path) {
  StoreFiles files;
  for (const char* name : {"", "-wal", "-shm", "-sums"}) {
    std::ifstream in(path + name, std::ios::binary);
    if (!in) continue;
    files[name] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

void PutAt(const std::string& path, const StoreFiles& files) {
  for (const char* name : {"", "-wal", "-shm", "-sums"})
    std::filesystem::remove(path + name);
  for (const auto& [name, bytes] : files) {
    std::ofstream out(path + name, std::ios::binary);
    out << bytes;
    if (!out.flush()) std::abort();
  }
}

std::string DoDamage(StoreFiles& files, const StoreFiles& older, Damage damage,
                     std::mt19937_64& chance) {
  const std::string name = ChooseFile(files, chance);
  std::string& file = files[name];
  const auto before = older.find(name);
  const std::string& old = before == older.end() ? file : before->second;
  switch (damage) {
    case Damage::kFlippedBit:
      FlipBit(file, chance);
      break;
    case Damage::kFlippedBits:
      for (int i = 0; i < 8; ++i) FlipBit(file, chance);
      break;
    case Damage::kZeroed512:
      Fill(file, Sector(file, 512, chance), 512, nullptr);
      break;
    case Damage::kZeroed4096:
      Fill(file, Sector(file, 4096, chance), 4096, nullptr);
      break;
    case Damage::kGarbage512:
      Fill(file, Sector(file, 512, chance), 512, &chance);
      break;
    case Damage::kSwappedPages:
      SwapPages(name, file, chance);
      break;
    case Damage::kTruncated:
      file.resize(Pick(chance, file.size()));
      break;
    case Damage::kOlderPage:
      PutOlder(name, file, old, 0, chance);
      break;
    case Damage::kOlderPages:
      PutOlder(name, file, old, 0.5, chance);
      break;
  }
  return absl::StrCat("store", name, ": ", kNames[static_cast<int>(damage)]);
}

}  // namespace ostiary::testing
