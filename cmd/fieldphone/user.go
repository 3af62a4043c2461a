package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"fieldphone/httpapi/account"

	"golang.org/x/term"
)

const userUsage = `fieldphone user add ID --name NAME [--admin]
fieldphone user passwd ID
fieldphone user disable ID
fieldphone user enable ID
fieldphone user list
fieldphone user invite [--uses N] [--for 24h] [--url https://HOST:PORT/]

add and passwd take the password from FIELDPHONE_PASSWORD, else from standard input.
invite prints a link and a QR code by which N people can join; --url is for a server that
people reach by another address than this machine's.
All of it works while the server runs; disable and passwd end the user's sessions.
`

func (inv *invocation) user(ctx context.Context, args []string) error {
	fs, s := newFlags(inv, "user")
	name := fs.String("name", "", "the person's `name` as others see it")
	admin := fs.Bool("admin", false, "make the user an administrator")
	var invite inviteFlags
	fs.IntVar(&invite.uses, "uses", 1, "invite: how many `people` can join by it")
	fs.DurationVar(&invite.lifetime, "for", 0, "invite: how long it is good, at most 720h (default registration.invite_ttl)")
	fs.StringVar(&invite.page, "url", "", "invite: the page's `URL`, if people reach it by another address than this machine's")
	fs.Usage = func() { fmt.Fprint(inv.stderr, userUsage) }
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	action, id, err := userAction(rest)
	if err != nil {
		return err
	}
	cfg, err := s.load(inv)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, inv.stderr)
	db, accounts, err := openAccounts(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer db.Close()
	switch action {
	case "list":
		return inv.listUsers(ctx, accounts)
	case "invite":
		return plain(inv.invite(ctx, cfg, accounts, invite))
	case "disable", "enable":
		err = accounts.SetDisabled(ctx, id, action == "disable")
	case "add", "passwd":
		err = inv.setPassword(ctx, accounts, action, id, *name, *admin)
	}
	if err != nil {
		return plain(err)
	}
	fmt.Fprintf(inv.stdout, "%s: %s\n", id, map[string]string{
		"add": "added", "passwd": "password changed", "disable": "disabled", "enable": "enabled",
	}[action])
	return nil
}

func userAction(rest []string) (action, id string, err error) {
	if len(rest) == 0 {
		return "", "", fmt.Errorf("%w: user takes add, passwd, disable, enable, invite or list", errUsage)
	}
	switch rest[0] {
	case "list", "invite":
		if len(rest) == 1 {
			return rest[0], "", nil
		}
	case "add", "passwd", "disable", "enable":
		if len(rest) == 2 {
			return rest[0], rest[1], nil
		}
		return "", "", fmt.Errorf("%w: user %s takes one ID", errUsage, rest[0])
	}
	return "", "", fmt.Errorf("%w: user cannot %q", errUsage, strings.Join(rest, " "))
}

func (inv *invocation) setPassword(ctx context.Context, accounts *account.Service, action, id, name string, admin bool) error {
	password, err := inv.readPassword(inv.askTwice)
	if err != nil {
		return err
	}
	if action == "passwd" {
		return accounts.SetPassword(ctx, id, password)
	}
	if name == "" {
		name = id
	}
	_, err = accounts.AddUser(ctx, id, name, password, admin)
	return err
}

// readPassword takes FIELDPHONE_PASSWORD, asks at a terminal, or reads one line.
func (inv *invocation) readPassword(ask func(fd int) (string, error)) (string, error) {
	if password := inv.env("FIELDPHONE_PASSWORD"); password != "" {
		return password, nil
	}
	if file, ok := inv.stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return ask(int(file.Fd()))
	}
	line, err := bufio.NewReader(io.LimitReader(inv.stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("no password given: set FIELDPHONE_PASSWORD or write it to standard input")
	}
	return line, nil
}

// askTwice is for a new password, which nobody can see.
func (inv *invocation) askTwice(fd int) (string, error) {
	first, err := inv.ask(fd, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := inv.ask(fd, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ; nothing was changed")
	}
	return first, nil
}

func (inv *invocation) ask(fd int, prompt string) (string, error) {
	fmt.Fprint(inv.stderr, prompt)
	answer, err := term.ReadPassword(fd)
	fmt.Fprintln(inv.stderr)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(answer), nil
}

func (inv *invocation) listUsers(ctx context.Context, accounts *account.Service) error {
	users, err := accounts.Users(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(inv.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tADMIN\tSTATE\tCREATED")
	for _, u := range users {
		state := "active"
		if u.Disabled {
			state = "disabled"
		} else if u.Guest() {
			state = "guest"
		}
		fmt.Fprintf(w, "%s\t%s\t%t\t%s\t%s\n", u.ID, u.Name, u.Admin, state, u.CreatedAt.Format("2006-01-02 15:04"))
	}
	return w.Flush()
}

// plain leaves the sentence of a refusal.
func plain(err error) error {
	if refusal, ok := errors.AsType[*account.Error](err); ok && refusal.Unwrap() == nil {
		return errors.New(refusal.Message)
	}
	return err
}
