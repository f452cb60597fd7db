#include "tests/storage/conformance/conformance.h"

#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"

namespace ostiary::storage::conformance {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreConformance);

StoreListener Announcements::Listener() {
  StoreListener listener;
  listener.on_ledger = [this](const LedgerHead& head,
                              const std::vector<LedgerRow>& rows) {
    const std::lock_guard<std::mutex> lock(mutex_);
    heads_.push_back(head);
    rows_.insert(rows_.end(), rows.begin(), rows.end());
  };
  listener.on_status_flips = [this](const std::vector<StatusSlot>& flipped) {
    const std::lock_guard<std::mutex> lock(mutex_);
    flipped_.insert(flipped_.end(), flipped.begin(), flipped.end());
  };
  listener.on_commit = [this](absl::Time, absl::Duration,
                              std::size_t operations) {
    const std::lock_guard<std::mutex> lock(mutex_);
    operations_ += operations;
  };
  return listener;
}

std::vector<LedgerRow> Announcements::rows() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return rows_;
}

std::vector<LedgerHead> Announcements::heads() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return heads_;
}

std::size_t Announcements::operations() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return operations_;
}

std::vector<StatusSlot> Announcements::flipped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return flipped_;
}

void StoreConformance::SetUp() {
  backend_ = GetParam().make();
  Reopen();
}

void StoreConformance::Reopen() {
  store_.reset();
  store_ = ostiary::testing::ValueOf(backend_->Open(announced_.Listener()));
}

absl::Status StoreConformance::Insert(const AccountRow& row) {
  return Write([&](WriteTx& tx) { return tx.accounts().Insert(row); });
}

absl::Status StoreConformance::Update(const AccountRow& row) {
  return Write([&](WriteTx& tx) { return tx.accounts().Update(row); });
}

absl::Status StoreConformance::Insert(const SessionRow& row) {
  return Write([&](WriteTx& tx) { return tx.sessions().Insert(row); });
}

LedgerRow StoreConformance::Append(const LedgerRow& row) {
  return WriteAndGet([&](WriteTx& tx) { return tx.ledger().Append(row); });
}

std::optional<AccountRow> StoreConformance::FindAccount(
    const Key16& account_id) {
  return Read([&](ReadTx& tx) { return tx.accounts().Find(account_id); });
}

std::optional<SessionRow> StoreConformance::FindSession(
    const Key16& session_id) {
  return Read([&](ReadTx& tx) { return tx.sessions().Find(session_id); });
}

LedgerHead StoreConformance::Head() {
  return Read([](ReadTx& tx) { return tx.ledger().Head(); });
}

std::vector<LedgerRow> StoreConformance::Ledger() {
  return Read([](ReadTx& tx) { return tx.ledger().After(0, 1'000'000); });
}

Key16 KeyOf(std::uint32_t number) {
  Key16 key{};
  key[0] = 0xfe;  // a first byte that is negative for who compares chars
  for (int i = 0; i < 4; ++i) {
    key[4 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  key[15] = 0x01;
  return key;
}

absl::Time Noon() { return absl::FromUnixSeconds(1'767'268'800); }

std::string AwkwardText() {
  std::string text = "d'Arc \"Ж日本語\xf0\x9f\xa6\x89\"\n";
  text.push_back('\0');
  return text + "end";
}

AccountRow AccountOf(std::uint32_t number) {
  AccountRow row;
  row.account_id = KeyOf(number);
  row.username = absl::StrCat("User", number);
  row.username_key = absl::StrCat("user", number);
  row.email = absl::StrCat("User", number, "@Example.com");
  row.email_key = absl::StrCat("user", number, "@example.com");
  row.email_verified = true;
  row.display_name = AwkwardText();
  row.roles = {"admin", "bücher", "with \"quotes\""};
  row.disabled = true;
  row.metadata_json = R"({"n":1})";
  row.generation = 4'000'000'000;
  row.session_floor = 3;
  row.credential_version = 5;
  row.password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$ZGlnZXN0";
  row.create_time = Noon();
  row.update_time = Noon() + absl::Microseconds(1);
  return row;
}

SessionRow SessionOf(std::uint32_t number, const Key16& account_id) {
  SessionRow row;
  row.session_id = KeyOf(number);
  row.account_id = account_id;
  row.client_id = "web";
  row.audience = "https://api.example.com";
  row.scope = "read write";
  row.minted_scope = "read";
  row.user_agent = AwkwardText();
  row.address = "2001:db8::1";
  row.amr = "pwd otp";
  row.opened_generation = 2;
  row.generation = 1;
  row.retried_in_row = 6;
  row.networks = (std::int64_t{3} << 44) - 1;
  row.salt = std::string("\x00\xff\x80 salt", 8);
  row.refresh_key_id = "rk1";
  row.request_id_hash = std::string("\x00\x01\xfe", 3);
  row.create_time = Noon();
  row.rotated_at = Noon() + absl::Seconds(1);
  row.minted_at = Noon() + absl::Seconds(2);
  row.access_expire_time = Noon() + absl::Seconds(3);
  row.idle_expire_time = Noon() + absl::Hours(1);
  row.expire_time = Noon() + absl::Hours(2);
  return row;
}

LedgerRow RevocationOf(const std::string& key) {
  LedgerRow row;
  row.kind = LedgerKind::kSession;
  row.key = key;
  row.min_generation = 0xffff'ffff'0000'0001;
  row.issued_before = Noon();
  row.commit_time = Noon() + absl::Seconds(1);
  row.expire_time = Noon() + absl::Hours(1);
  row.reason = AwkwardText();
  return row;
}

KeyRow SealedKeyOf(std::uint32_t number) {
  KeyRow row;
  row.key_id = absl::StrCat("key-", number);
  row.purpose = "access";
  row.algorithm = "ES256";
  row.state = "active";
  row.sealed = std::string("\x00\x80\xff", 3);
  row.public_jwk = R"({"kty":"EC"})";
  row.create_time = Noon() + absl::Seconds(number);
  row.activate_time = Noon() + absl::Hours(1);
  row.retire_time = Noon() + absl::Hours(2);
  row.revoke_time = Noon() + absl::Hours(3);
  return row;
}

AuditRow EventOf(std::uint32_t number) {
  AuditRow row;
  row.time = Noon() + absl::Seconds(number);
  row.action = "sign_in";
  row.outcome = "ok";
  row.actor = "operator";
  row.account_id = absl::StrCat("acct_", number);
  row.session_id = "sess_1";
  row.client_id = "web";
  row.address = "192.0.2.1";
  row.detail = R"({"why":"test"})";
  return row;
}

bool ChecksFollow(std::uint64_t check_before,
                  const std::vector<LedgerRow>& rows) {
  for (const LedgerRow& row : rows) {
    if (NextLedgerCheck(check_before, row) != row.check) return false;
    check_before = row.check;
  }
  return true;
}

}  // namespace ostiary::storage::conformance
