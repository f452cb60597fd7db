#include "server/door/secret_fields.h"

#include <set>
#include <string>

#include "server/base/secret.h"

namespace ostiary::door {
namespace {

namespace pb = google::protobuf;

// The message owns the text: it is only empty where it is the shared default.
void WipeOwned(const std::string& text) {
  if (!text.empty()) Wipe(const_cast<std::string&>(text));
}

bool Holds(const pb::Descriptor& message,
           std::set<const pb::Descriptor*>& seen) {
  if (!seen.insert(&message).second) return false;
  if (!SecretFieldsOf(message).empty()) return true;
  for (int i = 0; i < message.field_count(); ++i) {
    const pb::Descriptor* inside = message.field(i)->message_type();
    if (inside != nullptr && Holds(*inside, seen)) return true;
  }
  return false;
}

void WipeField(const pb::FieldDescriptor& field, pb::Message& message) {
  const pb::Reflection& reflection = *message.GetReflection();
  const bool is_text = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING;
  const bool is_message =
      field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
  std::string scratch;
  if (!field.is_repeated()) {
    if (is_text)
      WipeOwned(reflection.GetStringReference(message, &field, &scratch));
    if (is_message) WipeTexts(*reflection.MutableMessage(&message, &field));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (is_text) {
      WipeOwned(
          reflection.GetRepeatedStringReference(message, &field, i, &scratch));
    }
    if (is_message)
      WipeTexts(*reflection.MutableRepeatedMessage(&message, &field, i));
  }
}

}  // namespace

std::vector<const pb::FieldDescriptor*> SecretFieldsOf(
    const pb::Descriptor& message) {
  std::vector<const pb::FieldDescriptor*> secrets;
  for (const char* name : {"password", "current_password", "new_password",
                           "password_hash", "refresh_token"}) {
    const pb::FieldDescriptor* field = message.FindFieldByName(name);
    if (field != nullptr) secrets.push_back(field);
  }
  return secrets;
}

bool HoldsSecrets(const pb::Descriptor& message) {
  std::set<const pb::Descriptor*> seen;
  return Holds(message, seen);
}

void WipeTexts(pb::Message& message) {
  std::vector<const pb::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) WipeField(*field, message);
}

void WipeFields(const std::vector<const pb::FieldDescriptor*>& fields,
                pb::Message& message) {
  for (const pb::FieldDescriptor* field : fields) WipeField(*field, message);
}

}  // namespace ostiary::door
