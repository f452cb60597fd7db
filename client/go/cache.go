package ostiary

import (
	"crypto/sha256"
	"sync"

	"ostiary.dev/go/internal/jose"
	"ostiary.dev/go/internal/revoked"
)

// knownToken is a token whose signature has been checked. It holds no verdict:
// time, audience and revocation are looked at each time it is shown.
type knownToken struct {
	claims  jose.Claims
	subject revoked.Subject
	key     *jose.Key // a key set without it makes this worthless
}

func newKnownToken(claims jose.Claims, keyID string, key *jose.Key) *knownToken {
	return &knownToken{
		claims: claims,
		key:    key,
		subject: revoked.Subject{
			Token:      revoked.OfToken(claims.TokenID),
			Session:    revoked.OfSession(claims.SessionID),
			HasSession: claims.SessionID != "",
			AccountID:  claims.Subject,
			Generation: claims.Generation,
			ClientID:   claims.ClientID,
			KeyID:      keyID,
			IssueTime:  claims.IssueTime,
		},
	}
}

type tokenHash [sha256.Size]byte

const cacheShards = 16

// tokenCache keeps about the last tokens that were used. Safe for use by
// several goroutines.
type tokenCache struct {
	shards [cacheShards]cacheShard
}

// cacheShard is two generations: when the young one is full it becomes the old
// one, and what was not used since goes.
type cacheShard struct {
	mutex      sync.Mutex
	young, old map[tokenHash]*knownToken
	limit      int // of one generation
}

// newTokenCache holds at most size tokens, and none if size is not positive.
func newTokenCache(size int) *tokenCache {
	if size <= 0 {
		return nil
	}
	cache := &tokenCache{}
	for i := range cache.shards {
		cache.shards[i].limit = max(size/(2*cacheShards), 1)
		cache.shards[i].young = map[tokenHash]*knownToken{}
	}
	return cache
}

func (c *tokenCache) find(hash tokenHash) *knownToken {
	s := &c.shards[hash[0]%cacheShards]
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if token, ok := s.young[hash]; ok {
		return token
	}
	token, ok := s.old[hash]
	if ok {
		s.put(hash, token)
	}
	return token
}

func (c *tokenCache) add(hash tokenHash, token *knownToken) {
	s := &c.shards[hash[0]%cacheShards]
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.put(hash, token)
}

func (s *cacheShard) put(hash tokenHash, token *knownToken) {
	if len(s.young) >= s.limit {
		s.young, s.old = map[tokenHash]*knownToken{}, s.young
	}
	s.young[hash] = token
}

// keepOnly drops the tokens of keys that are not in a set.
func (c *tokenCache) keepOnly(keys *jose.KeySet) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mutex.Lock()
		for _, generation := range []map[tokenHash]*knownToken{s.young, s.old} {
			for hash, token := range generation {
				if !holds(keys, token.key) {
					delete(generation, hash)
				}
			}
		}
		s.mutex.Unlock()
	}
}

func holds(keys *jose.KeySet, key *jose.Key) bool {
	found := keys.Find(key.ID())
	return found == key || (found != nil && found.Equal(key))
}
