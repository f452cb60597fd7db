"""Token Status Lists after all the kills, as a verifier sees them that knows
nothing else."""

import base64
import json
import time
import zlib


def read(house, uri):
    """The bits of a list, as an integer's bytes."""
    body = house.http.client.get(uri).text.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    text = claims["status_list"]["lst"]
    return zlib.decompress(base64.urlsafe_b64decode(
        text + "=" * (-len(text) % 4)))


def says(lists, place):
    uri, index = place
    return lists[uri][index // 8] >> (index % 8) & 1


def check_status_lists(site, patience=10):
    """What has ended says so within `patience` seconds (lists are signed anew
    every half ttl), what lives does not, and no two sessions ever had one
    place. How much had ended."""
    places, whose, ended, living = {}, {}, set(), set()
    for witness in site.witnesses:
        tokens = [token for chain in witness.live + witness.ended
                  for token in chain.access if token.place]
        for token in tokens:
            first = places.setdefault(token.place, token.session)
            assert first == token.session, "one place for two sessions"
        ended |= {t.place for t in tokens
                  if t.text in witness.refused or t.key in site.keys.revoked}
        whose |= {t.place: f"{t.session} {t.token_id} key {t.key}" for t in tokens}
        living |= {chain.token.place for chain in witness.live
                   if chain.token.place}
    living -= ended
    end = time.monotonic() + patience
    while places:
        lists = {uri: read(site.house, uri) for uri, _ in places}
        late = [place for place in ended if not says(lists, place)]
        if not late:
            assert not any(says(lists, place) for place in living), (
                "what lives is listed as ended")
            break
        assert time.monotonic() < end, (
            f"ended, and not listed: {[(place, whose[place]) for place in late]}")
        time.sleep(0.2)
    return len(ended)
