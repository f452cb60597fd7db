# `cmake --install build/release --prefix P`: the SDK, and nothing of the server.
#   find_package(Ostiary REQUIRED)
#   target_link_libraries(app PRIVATE Ostiary::client)         # and Ostiary::grpc_guard
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Ostiary)
# What a public header includes from a room lies apart, so that nothing called
# client/ gets into everyone's include path by accident.
set(rooms_dir ${CMAKE_INSTALL_INCLUDEDIR}/ostiary/rooms)

foreach(target client grpc_guard jwt proto proto_grpc revoked_set)
  set_target_properties(ostiary_${target} PROPERTIES EXPORT_NAME ${target})
endforeach()
install(TARGETS ostiary_client ostiary_grpc_guard EXPORT OstiaryTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${rooms_dir})
install(TARGETS ostiary_jwt ostiary_proto ostiary_proto_grpc ostiary_revoked_set EXPORT OstiaryTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ostiary DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_SOURCE_DIR}/client/jwt/token.h DESTINATION ${rooms_dir}/client/jwt)

install(EXPORT OstiaryTargets NAMESPACE Ostiary:: DESTINATION ${package_dir})
configure_package_config_file(OstiaryConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/OstiaryConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/OstiaryConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/OstiaryConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/OstiaryConfigVersion.cmake
  DESTINATION ${package_dir})
