package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxTokenBytes is well above what sign makes from the longest id and issuer.
const maxTokenBytes = 2048

// tokens signs and checks the site's JSON Web Tokens. HS256 is the only
// algorithm accepted (RFC 8725 section 3.1).
type tokens struct {
	key    []byte
	issuer string
	parser *jwt.Parser
}

func newTokens(cfg Config) *tokens {
	return &tokens{
		key:    cfg.SigningKey,
		issuer: cfg.Issuer,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithIssuer(cfg.Issuer),
			jwt.WithLeeway(cfg.Leeway),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithTimeFunc(cfg.Now),
			jwt.WithStrictDecoding(),
		),
	}
}

func (t *tokens) sign(session Session, now time.Time) (string, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer:    t.issuer,
		Subject:   session.UserID,
		ID:        session.ID,
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(session.ExpiresAt),
	}).SignedString(t.key)
	if err != nil {
		return "", fmt.Errorf("account: sign token: %w", err)
	}
	return token, nil
}

// verify gives the session that the token names and the time it was issued
// at, or unauthenticated, or session_expired.
func (t *tokens) verify(token string) (Session, time.Time, error) {
	if len(token) > maxTokenBytes {
		return Session{}, time.Time{}, unauthenticated(fmt.Errorf("token of %d bytes", len(token)))
	}
	var claims jwt.RegisteredClaims
	_, err := t.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return t.key, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return Session{}, time.Time{}, sessionExpired(err)
	case err != nil:
		return Session{}, time.Time{}, unauthenticated(err)
	case claims.ID == "" || claims.Subject == "" || claims.IssuedAt == nil:
		return Session{}, time.Time{}, unauthenticated(errors.New("token without jti, sub or iat"))
	}
	session := Session{ID: claims.ID, UserID: claims.Subject, ExpiresAt: claims.ExpiresAt.UTC()}
	return session, claims.IssuedAt.Time, nil
}
