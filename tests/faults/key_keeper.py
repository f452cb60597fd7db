"""The operator's key ring seen from outside: rotated and revoked under load."""

import time

ACTIVE, PREPARED, REVOKED = 2, 1, 4  # SigningKeyState


class KeyKeeper:
    """One who prepares, activates and revokes signing keys, one at a time."""

    def __init__(self, site, chance):
        self.site, self.chance = site, chance
        self.revoked, self.doubtful = set(), set()
        self.pending = None
        self.pause = 0.1  # seconds between two changes
        self.urgent = False  # revokes first

    def in_doubt(self, key):
        return key in self.revoked or key in self.doubtful

    def ask(self, method, request=None, **named):
        return self.site.journal.ask("keeper", self.site.house.operator,
                                     f"KeyService/{method}", request, **named)

    def keys(self):
        return {key.key_id: key for key in
                self.ask("ListSigningKeys").signing_keys}

    def step(self):
        keys = self.keys()
        prepared = [k for k, key in keys.items() if key.state == PREPARED]
        active = next(k for k, key in keys.items() if key.state == ACTIVE)
        if self.urgent or self.chance.random() < 0.15:
            self.urgent = False
            self.revoke(self.chance.choice([active, *prepared]))
        elif prepared:
            self.ask("ActivateSigningKey",
                     {"key_id": prepared[0], "force": True})
        self.look()
        time.sleep(self.pause)

    def revoke(self, key):
        self.doubtful.add(key)
        self.pending = key
        self.ask("RevokeSigningKey", {"key_id": key},
                 line={"kind": "key_revoked", "key": key})
        self.revoked.add(key)
        self.pending = None

    def look(self):
        """What is published now; what was revoked never is again."""
        kids = {key.kid for key in self.ask("GetJwks").keys}
        self.site.journal.saw_keys("keeper", kids)
        assert not kids & self.revoked, "a revoked key is published"

    def settle(self):
        keys = self.keys()
        if self.pending is not None:
            if keys[self.pending].state == REVOKED:
                self.revoked.add(self.pending)
            else:
                self.doubtful.discard(self.pending)
            self.pending = None
        states = [key.state for key in keys.values()]
        assert states.count(ACTIVE) == 1, "not one key is active"
        assert states.count(PREPARED) >= 1, "no key is prepared"
        for key in self.revoked:
            assert keys[key].state == REVOKED, "a key is revoked no longer"
        self.look()
