#ifndef OSTIARY_SERVER_DOOR_SECRET_FIELDS_H_
#define OSTIARY_SERVER_DOOR_SECRET_FIELDS_H_

#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace ostiary::door {

// The fields of this message, by their names, that hold a password or a refresh
// token. Access tokens are not among them: they end by themselves, and every
// call carries one.
std::vector<const google::protobuf::FieldDescriptor*> SecretFieldsOf(
    const google::protobuf::Descriptor& message);

// True if it has such a field, or a message in it has.
bool HoldsSecrets(const google::protobuf::Descriptor& message);

// Overwrites the texts of all fields that are set, also in messages inside.
// Who clears a message for its next use keeps the bytes of the last one.
void WipeTexts(google::protobuf::Message& message);

// Overwrites the texts of these fields.
void WipeFields(
    const std::vector<const google::protobuf::FieldDescriptor*>& fields,
    google::protobuf::Message& message);

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_SECRET_FIELDS_H_
