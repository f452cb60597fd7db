#include "server/password/presented_password.h"

#include <openssl/crypto.h>
#include <utf8proc.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ostiary::password {
namespace {

constexpr auto kOptions =
    static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);

utf8proc_int32_t SpaceToAscii(utf8proc_int32_t code_point, void*) {
  return utf8proc_category(code_point) == UTF8PROC_CATEGORY_ZS ? 0x20
                                                               : code_point;
}

class WipedCodePoints {
 public:
  explicit WipedCodePoints(std::size_t count) : code_points_(count) {}
  ~WipedCodePoints() {
    OPENSSL_cleanse(code_points_.data(),
                    code_points_.size() * sizeof(utf8proc_int32_t));
  }
  WipedCodePoints(const WipedCodePoints&) = delete;
  WipedCodePoints& operator=(const WipedCodePoints&) = delete;
  utf8proc_int32_t* data() { return code_points_.data(); }

 private:
  std::vector<utf8proc_int32_t> code_points_;
};

utf8proc_ssize_t Decompose(absl::string_view bytes, utf8proc_int32_t* out,
                           utf8proc_ssize_t capacity) {
  return utf8proc_decompose_custom(
      reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
      static_cast<utf8proc_ssize_t>(bytes.size()), out, capacity, kOptions,
      SpaceToAscii, nullptr);
}

// nullopt if `bytes` are not UTF-8.
std::optional<SecretBytes> Normalise(absl::string_view bytes) {
  const utf8proc_ssize_t needed = Decompose(bytes, nullptr, 0);
  if (needed < 0) return std::nullopt;
  // The library reorders in place and ends the text with a zero.
  WipedCodePoints code_points(static_cast<std::size_t>(needed) + 1);
  utf8proc_ssize_t count = Decompose(bytes, code_points.data(), needed);
  if (count < 0 || count > needed) return std::nullopt;
  count = utf8proc_normalize_utf32(code_points.data(), count, kOptions);
  if (count < 0) return std::nullopt;
  std::string text;
  text.reserve(static_cast<std::size_t>(count) * 4);  // never moves, so no copy
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    utf8proc_uint8_t encoded[4];
    const utf8proc_ssize_t size =
        utf8proc_encode_char(code_points.data()[i], encoded);
    text.append(reinterpret_cast<const char*>(encoded),
                static_cast<std::size_t>(size));
  }
  SecretBytes result = SecretBytes::CopyOf(text);
  Wipe(text);
  return result;
}

}  // namespace

PresentedPassword PresentedPassword::From(absl::string_view bytes) {
  PresentedPassword presented;
  presented.too_long_ = bytes.size() > kMaxPasswordBytes;
  presented.raw_ = SecretBytes::CopyOf(bytes.substr(0, kMaxPasswordBytes));
  std::optional<SecretBytes> normalised = Normalise(presented.raw());
  if (!normalised.has_value()) return presented;
  presented.valid_utf8_ = true;
  presented.differs_ = normalised->Reveal() != presented.raw();
  if (presented.differs_) presented.normalised_ = *std::move(normalised);
  return presented;
}

}  // namespace ostiary::password
