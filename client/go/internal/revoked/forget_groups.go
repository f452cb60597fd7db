package revoked

import (
	"math"
	"time"
)

const neverMinute = math.MaxInt64

// forgetGroups gives small numbers to the minutes in which something may be
// forgotten. Only for the one that writes.
type forgetGroups struct {
	minutes [groupCount]int64 // 0: the number is free
	numbers map[int64]uint64
}

// minuteAfter is the first whole minute at or after a time.
func minuteAfter(t time.Time) int64 {
	minute := t.Unix() / 60
	if t.Unix()%60 != 0 || t.Nanosecond() != 0 {
		minute++
	}
	return max(minute, 1)
}

func (g *forgetGroups) minuteOf(group uint64) int64 {
	if group == neverGroup {
		return neverMinute
	}
	return g.minutes[group]
}

func (g *forgetGroups) later(a, b uint64) bool { return g.minuteOf(a) > g.minuteOf(b) }

// find gives the group of a time; zero: never. If all numbers are taken, the
// next later group: to forget late is safe.
func (g *forgetGroups) find(forget time.Time) uint64 {
	if forget.IsZero() {
		return neverGroup
	}
	minute := minuteAfter(forget)
	if group, ok := g.numbers[minute]; ok {
		return group
	}
	if group := g.freeNumber(); group != 0 {
		if g.numbers == nil {
			g.numbers = map[int64]uint64{}
		}
		g.minutes[group] = minute
		g.numbers[minute] = group
		return group
	}
	best, bestMinute := uint64(neverGroup), int64(neverMinute)
	for candidate, group := range g.numbers {
		if candidate > minute && candidate < bestMinute {
			best, bestMinute = group, candidate
		}
	}
	return best
}

func (g *forgetGroups) freeNumber() uint64 {
	if len(g.numbers) == groupCount-2 {
		return 0
	}
	for group := uint64(neverGroup + 1); group < groupCount; group++ {
		if g.minutes[group] == 0 {
			return group
		}
	}
	return 0
}

// take gives the groups whose minute has come.
func (g *forgetGroups) take(now time.Time) map[uint64]struct{} {
	gone := map[uint64]struct{}{}
	for minute, group := range g.numbers {
		if minute <= now.Unix()/60 {
			gone[group] = struct{}{}
		}
	}
	return gone
}

// free lets numbers be given again. Nothing may be in those groups any more.
func (g *forgetGroups) free(groups map[uint64]struct{}) {
	for group := range groups {
		delete(g.numbers, g.minutes[group])
		g.minutes[group] = 0
	}
}
