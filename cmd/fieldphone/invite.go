package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi"
	"fieldphone/httpapi/account"
)

func registration(c configs.Registration) account.Registration {
	return account.Registration{
		Policy: account.Policy(c.Policy), Guests: c.Guests, GuestTTL: c.GuestTTL, MaxGuests: c.MaxGuests,
		UsersMayInvite: c.UsersMayInvite, InviteTTL: c.InviteTTL,
	}
}

type inviteFlags struct {
	uses     int
	lifetime time.Duration
	page     string
}

// invite makes an invite of the console's, and prints how to use it.
func (inv *invocation) invite(ctx context.Context, cfg configs.Config, accounts *account.Service, flags inviteFlags) error {
	if flags.uses < 1 {
		return fmt.Errorf("%w: --uses is at least 1", errUsage)
	}
	if flags.lifetime < 0 {
		return fmt.Errorf("%w: --for is a time like 24h", errUsage)
	}
	page, err := pageURL(cfg, flags.page)
	if err != nil {
		return err
	}
	invite, code, err := accounts.NewInvite(ctx, "", flags.uses, flags.lifetime)
	if err != nil {
		return err
	}
	link := joinLink(page, code)
	fmt.Fprintf(inv.stdout, "Good for %d, until %s:\n\n  %s\n\n", invite.Uses, invite.ExpiresAt.Local().Format("2006-01-02 15:04"), link)
	printQR(inv.stdout, link)
	return nil
}

// pageURL is where people find the page: what the admin says, else this
// machine's best address.
func pageURL(cfg configs.Config, given string) (string, error) {
	if given != "" {
		u, err := url.Parse(given)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return "", fmt.Errorf("%w: --url is the page's address, like https://192.168.1.10:8443/", errUsage)
		}
		return "https://" + u.Host + "/", nil
	}
	if cfg.Listen.HTTPSPort == 0 {
		return "", errors.New("listen.https_port is 0, so the page's address is not known here; give --url as the server prints it")
	}
	places, err := findPlaces(cfg.Listen)
	if err != nil {
		return "", fmt.Errorf("list network interfaces: %w", err)
	}
	if len(places) == 0 {
		return "", errors.New("this machine has no network now; connect it to one, or give --url")
	}
	return httpapi.HTTPSURL(places[0].Addr.String(), uint16(cfg.Listen.HTTPSPort)), nil
}
