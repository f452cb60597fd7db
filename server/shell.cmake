# What stands between the operator and the assembly: options, the data
# directory, the mark.
ostiary_room(ostiary_data_dir
  SOURCES data_dir.cc descriptors.cc mark_file.cc
  DEPENDS absl::status absl::statusor absl::strings absl::time
  PRIVATE_DEPENDS absl::str_format)

find_package(CLI11 REQUIRED)
ostiary_room(ostiary_config
  SOURCES config.cc config_file.cc config_rules.cc config_text.cc option_rows.cc option_sources.cc option_values.cc
  DEPENDS ostiary_base absl::status absl::statusor absl::strings absl::time
  PRIVATE_DEPENDS ostiary_data_dir absl::str_format CLI11::CLI11)
