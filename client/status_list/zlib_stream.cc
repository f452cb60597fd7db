#include "client/status_list/zlib_stream.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace ostiary::status_list {
namespace {

constexpr std::size_t kChunkBytes = 16 * 1024;

// zlib's handle, wrapped once.
class Inflation {
 public:
  explicit Inflation(absl::string_view stream) {
    z_.next_in =
        reinterpret_cast<Bytef*>(const_cast<char*>(stream.data()));  // reads
    z_.avail_in = static_cast<uInt>(stream.size());
    ready_ = inflateInit(&z_) == Z_OK;
  }
  ~Inflation() {
    if (ready_) inflateEnd(&z_);
  }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;

  // Appends the next part. Z_OK: there is more.
  int Step(std::string& out) {
    if (!ready_) return Z_MEM_ERROR;
    std::array<char, kChunkBytes> chunk;
    z_.next_out = reinterpret_cast<Bytef*>(chunk.data());
    z_.avail_out = chunk.size();
    const int code = inflate(&z_, Z_NO_FLUSH);
    out.append(chunk.data(), chunk.size() - z_.avail_out);
    return code;
  }
  bool consumed() const { return z_.avail_in == 0; }

 private:
  z_stream z_{};
  bool ready_ = false;
};

}  // namespace

std::string Deflate(absl::string_view bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  // Fails only without memory: the output fits by construction.
  if (compress2(reinterpret_cast<Bytef*>(&out[0]), &size,
                reinterpret_cast<const Bytef*>(bytes.data()),
                static_cast<uLong>(bytes.size()), Z_BEST_COMPRESSION) != Z_OK) {
    std::abort();
  }
  out.resize(size);
  return out;
}

std::optional<std::string> Inflate(absl::string_view stream, std::size_t most) {
  Inflation inflation(stream);
  std::string out;
  int code = Z_OK;
  while (code == Z_OK && out.size() <= most) code = inflation.Step(out);
  const bool whole =
      code == Z_STREAM_END && inflation.consumed() && out.size() <= most;
  if (!whole) return std::nullopt;
  return out;
}

}  // namespace ostiary::status_list
