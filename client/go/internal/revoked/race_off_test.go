//go:build !race

package revoked

const raceDetector = false
