// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package warm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
)

// A source gives credentials as STS, Pod Identity or IMDS do.
type source struct {
	latency time.Duration
	name    string

	mu    sync.Mutex
	lasts time.Duration // 0 for ever
	fails bool
	// old makes it give the same ones until they have that long to go, as IMDS does.
	old  time.Duration
	n    int
	last aws.Credentials
}

func (s *source) Retrieve(ctx context.Context) (aws.Credentials, error) {
	select {
	case <-time.After(s.latency):
	case <-ctx.Done():
		return aws.Credentials{}, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	if s.fails {
		return aws.Credentials{}, errors.New("STS is down")
	}
	if s.old > 0 && s.last.CanExpire && time.Until(s.last.Expires) > s.old {
		return s.last, nil
	}
	s.last = aws.Credentials{
		AccessKeyID: fmt.Sprint("key", s.n), SecretAccessKey: "s", Source: s.name,
		CanExpire: s.lasts != 0, Expires: time.Now().Add(s.lasts),
	}
	return s.last, nil
}

func (s *source) fail(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = is
}

func (s *source) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// world runs Credentials over a source, through the SDK's cache as its chain does.
func world(t *testing.T, s *source, story func(*testing.T, *Credentials, *journal)) {
	t.Helper()
	c := NewCredentials(aws.NewCredentialsCache(s))
	beside(t, func(ctx context.Context, log *slog.Logger) {
		c.Run(ctx, log, func() float64 { return 0.5 })
	}, func(t *testing.T, j *journal) {
		story(t, c, j)
	})
}

// instant fetches credentials as a call does and fails the test unless they
// come without waiting.
func instant(t *testing.T, c *Credentials) aws.Credentials {
	t.Helper()
	began := time.Now()
	got, err := c.Retrieve(t.Context())
	if err != nil || got.Expired() || time.Since(began) > 0 {
		t.Fatalf("after %v: %v, expired %v", time.Since(began), err, got.Expired())
	}
	return got
}

// TestNoCallWaitsForTheSource, for a day, whatever the minute.
func TestNoCallWaitsForTheSource(t *testing.T) {
	for _, lasts := range []time.Duration{0, 30 * time.Second, 15 * time.Minute, time.Hour, 6 * time.Hour} {
		s := &source{lasts: lasts, latency: 3 * time.Second}
		world(t, s, func(t *testing.T, c *Credentials, log *journal) {
			time.Sleep(5 * time.Second)
			for began := time.Now(); time.Since(began) < 24*time.Hour; time.Sleep(7 * time.Second) {
				instant(t, c)
			}
			most := 1
			if lasts > 0 {
				most = int(2 * 24 * time.Hour / lasts)
			}
			if s.asked() > most || log.String() != "" {
				t.Errorf("%v: asked %d times in a day, log %q", lasts, s.asked(), log)
			}
		})
	}
}

// TestASourceThatIsDownIsToldOnceAndWhatIsHeldIsUsedToItsEnd.
func TestASourceThatIsDownIsToldOnceAndWhatIsHeldIsUsedToItsEnd(t *testing.T) {
	s := &source{lasts: time.Hour}
	world(t, s, func(t *testing.T, c *Credentials, log *journal) {
		synctest.Wait()
		s.fail(true)
		first := instant(t, c)
		for time.Until(first.Expires) > time.Second {
			time.Sleep(time.Second)
			if got := instant(t, c); got.AccessKeyID != first.AccessKeyID {
				t.Fatalf("%v left: got %s", time.Until(first.Expires), got.AccessKeyID)
			}
		}
		time.Sleep(10 * time.Minute)
		if _, err := c.Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), "STS is down") {
			t.Errorf("after the end: %v", err)
		}
		if n := strings.Count(log.String(), "credentials not renewed"); n != 1 {
			t.Errorf("told %d times", n)
		}
		if s.asked() > 45 {
			t.Errorf("asked %d times within 25 minutes", s.asked())
		}
		s.fail(false)
		time.Sleep(refreshRetryMax)
		instant(t, c)
		if n := strings.Count(log.String(), "credentials renewed"); n != 1 {
			t.Errorf("recovery told %d times", n)
		}
	})
}

// TestIMDSGivesTheOldOnesUntilFiveMinutesBeforeTheirEnd. Source: EC2 user guide.
func TestIMDSGivesTheOldOnesUntilFiveMinutesBeforeTheirEnd(t *testing.T) {
	s := &source{lasts: 6 * time.Hour, old: 5 * time.Minute, name: ec2rolecreds.ProviderName}
	world(t, s, func(t *testing.T, c *Credentials, log *journal) {
		synctest.Wait()
		for began := time.Now(); time.Since(began) < 48*time.Hour; time.Sleep(11 * time.Second) {
			instant(t, c)
		}
		if s.asked() > 8*20 || log.String() != "" {
			t.Errorf("asked %d times in 8 lives, log %q", s.asked(), log)
		}
	})
}

// TestAnInstanceRoleIsUsedPastItsEnd: EC2 honours it while IMDS gives no other.
func TestAnInstanceRoleIsUsedPastItsEnd(t *testing.T) {
	s := &source{lasts: time.Hour, name: ec2rolecreds.ProviderName}
	world(t, s, func(t *testing.T, c *Credentials, _ *journal) {
		synctest.Wait()
		s.fail(true)
		time.Sleep(3 * time.Hour)
		if got, err := c.Retrieve(t.Context()); err != nil || got.AccessKeyID != "key1" || got.Expired() {
			t.Errorf("got %s, %v", got.AccessKeyID, err)
		}
		before := s.asked()
		for range 50 {
			instant(t, c) // and not one failure of IMDS each
		}
		if s.asked() != before {
			t.Errorf("IMDS was asked %d times more", s.asked()-before)
		}
		s.fail(false)
		time.Sleep(2 * refreshRetryMax)
		if got := instant(t, c); got.AccessKeyID == "key1" {
			t.Error("the old ones are still used")
		}
	})
}

// TestWhatAWSRefusesIsNotUsedAgain, although it says that it lives on.
func TestWhatAWSRefusesIsNotUsedAgain(t *testing.T) {
	s := &source{latency: time.Second, lasts: time.Hour}
	world(t, s, func(t *testing.T, c *Credentials, _ *journal) {
		time.Sleep(time.Minute)
		before := instant(t, c)
		c.Refused()
		after, err := c.Retrieve(t.Context())
		if err != nil || after.AccessKeyID == before.AccessKeyID {
			t.Errorf("%s after %s was refused: %v", after.AccessKeyID, before.AccessKeyID, err)
		}
		if got := instant(t, c); got.AccessKeyID != after.AccessKeyID {
			t.Errorf("and then %s", got.AccessKeyID)
		}
		time.Sleep(2 * time.Hour)
		instant(t, c) // they are still renewed ahead
	})
}

func TestWithoutRunTheyAreTheSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{lasts: time.Hour}
		c := NewCredentials(aws.NewCredentialsCache(s))
		for range 4 {
			instant(t, c)
			time.Sleep(40 * time.Minute)
		}
		if s.asked() != 2 {
			t.Errorf("asked %d times", s.asked())
		}
		var p aws.CredentialProviderSource = c
		if got := p.ProviderSources(); len(got) != 0 {
			t.Errorf("sources %v", got)
		}
	})
}

// TestCredentialsThatAreDeadOnArrivalMakeNoBusyLoop.
func TestCredentialsThatAreDeadOnArrivalMakeNoBusyLoop(t *testing.T) {
	for _, lasts := range []time.Duration{-time.Minute, time.Nanosecond, time.Second} {
		s := &source{lasts: time.Hour}
		world(t, s, func(t *testing.T, _ *Credentials, _ *journal) {
			synctest.Wait()
			s.mu.Lock()
			s.lasts = lasts
			s.mu.Unlock()
			time.Sleep(time.Hour)
			before := s.asked()
			time.Sleep(time.Hour)
			if n := s.asked() - before; n > 3600 {
				t.Errorf("%v: asked %d times in an hour", lasts, n)
			}
		})
	}
}

// TestASourceOfExpiredCredentialsIsAskedAsSlowlyAsOneThatFails.
func TestASourceOfExpiredCredentialsIsAskedAsSlowlyAsOneThatFails(t *testing.T) {
	s := &source{lasts: -time.Minute}
	world(t, s, func(t *testing.T, _ *Credentials, _ *journal) {
		time.Sleep(time.Hour)
		if n := s.asked(); n > 150 {
			t.Errorf("asked %d times in an hour", n)
		}
	})
}
