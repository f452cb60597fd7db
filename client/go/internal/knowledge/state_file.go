package knowledge

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "ostiary.dev/go/ostiary/v1"
)

// The file: the magic line; issuer, key set and snapshot, each behind its
// length in four bytes; the SHA-256 of all that.
const (
	stateMagic    = "ostiary-verifier-state 1\n"
	maxStateBytes = 256 << 20
)

var errStateDamaged = errors.New("it is damaged")

// Save writes the file anew, if there is anything to say that it does not say
// yet. Whoever can read it learns which accounts had to sign in again, and
// whoever can write it chooses the keys: mode 0600.
func (k *Knowledge) Save(path, issuer string) error {
	content, err := k.encodeState(issuer)
	if content == nil || err != nil {
		return err
	}
	if err := replaceFile(path, content); err != nil {
		k.writing.Lock()
		k.changed = true
		k.writing.Unlock()
		return err
	}
	return nil
}

// Load merges what a file says. os.ErrNotExist if there is none; any other
// error means that it was not used.
func (k *Knowledge) Load(path, issuer string) error {
	content, err := readOwnFile(path)
	if err != nil {
		return err
	}
	keys, snapshot, err := decodeState(content, issuer)
	if err != nil {
		return err
	}
	k.writing.Lock()
	defer k.writing.Unlock()
	if err := k.replaceKeys(keys); err != nil {
		return err
	}
	if _, err := k.mergeSnapshot(snapshot); err != nil {
		return err
	}
	k.changed = false
	k.distrustFuture()
	return nil
}

// distrustFuture: a file from the future means that one of the clocks is wrong,
// so nobody can say how old it is. It is stale until the stream has spoken.
func (k *Knowledge) distrustFuture() {
	if s := *k.standing.Load(); s.asOf.After(k.clock.Wall()) {
		s.asOf = time.Time{}
		k.standing.Store(&s)
	}
}

func (k *Knowledge) encodeState(issuer string) ([]byte, error) {
	k.writing.Lock()
	s, keys := k.standing.Load(), k.keys.Load()
	if !k.changed || !s.Complete || keys == nil {
		k.writing.Unlock()
		return nil, nil
	}
	snapshot := k.set.Snapshot()
	k.changed = false
	k.writing.Unlock()

	snapshot.Epoch, snapshot.Sequence, snapshot.Cursor = s.Epoch, s.Sequence, s.cursor
	snapshot.AsOf, snapshot.Last = timestamppb.New(s.asOf), true
	keyBytes, err := proto.Marshal(KeySetFrame(keys))
	if err != nil {
		return nil, err
	}
	snapshotBytes, err := proto.Marshal(snapshot)
	if err != nil {
		return nil, err
	}
	content := []byte(stateMagic)
	for _, part := range [][]byte{[]byte(issuer), keyBytes, snapshotBytes} {
		content = binary.BigEndian.AppendUint32(content, uint32(len(part)))
		content = append(content, part...)
	}
	sum := sha256.Sum256(content)
	return append(content, sum[:]...), nil
}

func decodeState(content []byte, issuer string) (*pb.RevocationKeySet, *pb.RevocationSnapshot, error) {
	if len(content) < sha256.Size || !bytes.HasPrefix(content, []byte(stateMagic)) {
		return nil, nil, errStateDamaged
	}
	body := content[:len(content)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], content[len(body):]) {
		return nil, nil, errStateDamaged
	}
	rest := body[len(stateMagic):]
	var parts [3][]byte
	for i := range parts {
		if len(rest) < 4 {
			return nil, nil, errStateDamaged
		}
		size := int(binary.BigEndian.Uint32(rest))
		if rest = rest[4:]; size > len(rest) {
			return nil, nil, errStateDamaged
		}
		parts[i], rest = rest[:size], rest[size:]
	}
	if string(parts[0]) != issuer {
		return nil, nil, errors.New("it is about another issuer")
	}
	keys, snapshot := &pb.RevocationKeySet{}, &pb.RevocationSnapshot{}
	if err := proto.Unmarshal(parts[1], keys); err != nil {
		return nil, nil, err
	}
	if err := proto.Unmarshal(parts[2], snapshot); err != nil {
		return nil, nil, err
	}
	if !snapshot.GetLast() || !snapshot.GetAsOf().IsValid() {
		return nil, nil, errStateDamaged
	}
	return keys, snapshot, nil
}

// readOwnFile refuses a file that others can write: it says which keys to
// trust, and its checksum is no secret.
func readOwnFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("its mode is %v: others can write it", info.Mode())
	}
	if info.Size() > maxStateBytes {
		return nil, errors.New("it is too large")
	}
	return io.ReadAll(io.LimitReader(file, maxStateBytes))
}

func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
