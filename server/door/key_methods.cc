#include <algorithm>
#include <optional>

#include "client/revocation/revision.h"
#include "ostiary/v1/key_service.pb.h"
#include "server/base/reason.h"
#include "server/door/messages.h"
#include "server/door/methods.h"

namespace ostiary::door {
namespace {

// The key as it is now, for answers to a change.
absl::Status Describe(const key::KeyRing& keys, absl::string_view key_id,
                      v1::SigningKey& out) {
  const auto view = keys.Snapshot();
  for (const key::KeyInfo& key : view->keys()) {
    if (key.key_id != key_id) continue;
    ToMessage(key, out);
    return absl::OkStatus();
  }
  return Refuse(Reason::kNotFound);
}

absl::StatusOr<jwt::Algorithm> AlgorithmOf(const std::string& name,
                                           jwt::Algorithm fallback) {
  if (name.empty()) return fallback;
  const std::optional<jwt::Algorithm> algorithm = jwt::ParseAlgorithm(name);
  if (!algorithm.has_value()) {
    return RefuseField("algorithm", "must be ES256, RS256 or EdDSA");
  }
  return *algorithm;
}

absl::Status Prepare(const KeyFlows& flows, const flow::Caller& caller,
                     const v1::PrepareSigningKeyRequest& request,
                     v1::PrepareSigningKeyResponse& response) {
  const auto algorithm =
      AlgorithmOf(request.algorithm(), flows.default_algorithm);
  if (!algorithm.ok()) return algorithm.status();
  const absl::Time now = flows.clock.Now();
  const auto key_id =
      flows.keys.Prepare(*algorithm, caller.Did("", "", now).Row());
  if (!key_id.ok()) return key_id.status();
  return Describe(flows.keys, *key_id, *response.mutable_signing_key());
}

absl::Status Activate(const KeyFlows& flows, const flow::Caller& caller,
                      const v1::ActivateSigningKeyRequest& request,
                      v1::ActivateSigningKeyResponse& response) {
  const absl::Time now = flows.clock.Now();
  const key::Lead lead =
      request.force() ? key::Lead::kWaived : key::Lead::kRequired;
  const auto status = flows.keys.Activate(request.key_id(), lead,
                                          caller.Did("", "", now).Row());
  if (!status.ok()) return status;
  return Describe(flows.keys, request.key_id(),
                  *response.mutable_signing_key());
}

absl::Status Retire(const KeyFlows& flows, const flow::Caller& caller,
                    const v1::RetireSigningKeyRequest& request,
                    v1::RetireSigningKeyResponse& response) {
  const absl::Time now = flows.clock.Now();
  const auto status =
      flows.keys.Retire(request.key_id(), caller.Did("", "", now).Row());
  if (!status.ok()) return status;
  return Describe(flows.keys, request.key_id(),
                  *response.mutable_signing_key());
}

absl::Status RevokeKey(const KeyFlows& flows, const flow::Caller& caller,
                       const v1::RevokeSigningKeyRequest& request,
                       v1::RevokeSigningKeyResponse& response) {
  if (auto status = CheckReason(request.reason()); !status.ok()) {
    return status;
  }
  const absl::Time now = flows.clock.Now();
  const auto revoked = flows.keys.Revoke(request.key_id(), request.reason(),
                                         caller.Did("", "", now).Row());
  if (!revoked.ok()) return revoked.status();
  response.set_revision(
      revocation::FormatRevision({revoked->epoch, revoked->sequence}));
  return Describe(flows.keys, request.key_id(),
                  *response.mutable_signing_key());
}

v1::KeyEncryptionKeyState StateOf(key::EncryptionKeyInfo::State state) {
  switch (state) {
    case key::EncryptionKeyInfo::State::kSeals:
      return v1::KEY_ENCRYPTION_KEY_STATE_SEALING;
    case key::EncryptionKeyInfo::State::kOpens:
      return v1::KEY_ENCRYPTION_KEY_STATE_OPENING;
    case key::EncryptionKeyInfo::State::kMissing:
      return v1::KEY_ENCRYPTION_KEY_STATE_MISSING;
  }
  return v1::KEY_ENCRYPTION_KEY_STATE_UNSPECIFIED;
}

template <typename Response>
void AddAll(const std::vector<key::EncryptionKeyInfo>& keys,
            Response& response) {
  for (const key::EncryptionKeyInfo& key : keys) {
    v1::KeyEncryptionKey& out = *response.add_key_encryption_keys();
    out.set_key_encryption_key_id(key.id);
    out.set_state(StateOf(key.state));
    out.set_sealed_count(key.sealed_rows);
  }
}

absl::Status RotateEncryption(const KeyFlows& flows, const flow::Caller& caller,
                              v1::RotateKeyEncryptionKeyResponse& response) {
  const absl::Time now = flows.clock.Now();
  const auto rotation =
      flows.encryption.Rotate(caller.Did("", "", now).Row(), now);
  if (!rotation.ok()) return rotation.status();
  AddAll(rotation->keys, response);
  response.set_resealed_count(rotation->sealed_anew);
  response.set_left_in_file(std::string(rotation->left_in_file.message()));
  return absl::OkStatus();
}

}  // namespace

void ServeKeys(const KeyFlows& flows, MethodBook& book) {
  book.Serve<v1::GetJwksRequest, v1::GetJwksResponse>(
      "ostiary.v1.KeyService/GetJwks",
      [flows](const auto&, auto&, auto& response) {
        const auto view = flows.keys.Snapshot();
        for (const auto& key : view->verifying_keys().keys()) {
          ToMessage(key.jwk(), *response.add_keys());
        }
        return absl::OkStatus();
      });
  book.Serve<v1::ListSigningKeysRequest, v1::ListSigningKeysResponse>(
      "ostiary.v1.KeyService/ListSigningKeys",
      [flows](const auto&, auto&, auto& response) {
        const auto view = flows.keys.Snapshot();
        for (const key::KeyInfo& key : view->keys()) {
          ToMessage(key, *response.add_signing_keys());
        }
        return absl::OkStatus();
      });
  book.Serve<v1::PrepareSigningKeyRequest, v1::PrepareSigningKeyResponse>(
      "ostiary.v1.KeyService/PrepareSigningKey",
      [flows](const auto& caller, auto& request, auto& response) {
        return Prepare(flows, caller, request, response);
      });
  book.Serve<v1::ActivateSigningKeyRequest, v1::ActivateSigningKeyResponse>(
      "ostiary.v1.KeyService/ActivateSigningKey",
      [flows](const auto& caller, auto& request, auto& response) {
        return Activate(flows, caller, request, response);
      });
  book.Serve<v1::RetireSigningKeyRequest, v1::RetireSigningKeyResponse>(
      "ostiary.v1.KeyService/RetireSigningKey",
      [flows](const auto& caller, auto& request, auto& response) {
        return Retire(flows, caller, request, response);
      });
  book.Serve<v1::RevokeSigningKeyRequest, v1::RevokeSigningKeyResponse>(
      "ostiary.v1.KeyService/RevokeSigningKey",
      [flows](const auto& caller, auto& request, auto& response) {
        return RevokeKey(flows, caller, request, response);
      });
  book.Serve<v1::ListKeyEncryptionKeysRequest,
             v1::ListKeyEncryptionKeysResponse>(
      "ostiary.v1.KeyService/ListKeyEncryptionKeys",
      [flows](const auto&, auto&, auto& response) -> absl::Status {
        const auto keys = flows.encryption.List();
        if (!keys.ok()) return keys.status();
        AddAll(*keys, response);
        return absl::OkStatus();
      });
  book.Serve<v1::RotateKeyEncryptionKeyRequest,
             v1::RotateKeyEncryptionKeyResponse>(
      "ostiary.v1.KeyService/RotateKeyEncryptionKey",
      [flows](const auto& caller, auto&, auto& response) {
        return RotateEncryption(flows, caller, response);
      });
}

}  // namespace ostiary::door
