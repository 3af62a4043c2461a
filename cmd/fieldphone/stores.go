package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi/account"
	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc/presence"
)

// openAccounts opens what both the server and the user command need.
func openAccounts(ctx context.Context, cfg configs.Config, log *slog.Logger) (*sqlstore.DB, *account.Service, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, nil, fmt.Errorf("data folder: %w; set data or --data to a folder that can be written", err)
	}
	key, err := loadSecret(cfg.Session.Secret.Reveal(), cfg.Data, "session.secret")
	if err != nil {
		return nil, nil, err
	}
	db, err := sqlstore.Open(ctx, sqlstore.Config{
		DSN: cfg.Database.DSN.Reveal(), Dir: cfg.Data, Full: cfg.Database.Sync == configs.SyncFull, Logger: log,
	})
	if err != nil {
		return nil, nil, err
	}
	accounts, err := account.New(ctx, account.Config{
		SigningKey: key, SessionTTL: cfg.Session.TTL, Leeway: cfg.Session.Leeway, BcryptCost: cfg.Session.BcryptCost,
		AddressRate: perMinute(cfg.Limits.SignInPerMinutePerAddress), IDRate: perMinute(cfg.Limits.SignInPerMinutePerUser),
		RegisterRate: perMinute(cfg.Limits.RegisterPerMinutePerAddress), Registration: registration(cfg.Registration),
		Logger: log,
	}, db.Accounts())
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, accounts, nil
}

func perMinute(n int) account.Rate { return account.Rate{Burst: n, PerMinute: n} }

func openPresence(ctx context.Context, cfg configs.Config, log *slog.Logger) (presence.Store, error) {
	if url := cfg.Redis.URL.Reveal(); url != "" {
		return presence.NewRedis(ctx, presence.Config{URL: url, Logger: log})
	}
	return presence.NewMemory(time.Now), nil
}
