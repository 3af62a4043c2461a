package httpapi

import (
	"context"
	"encoding/json"
	"net/netip"
	"sync"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/pathtest"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc/hub"

	"github.com/gofiber/fiber/v2"
)

// How long one look at everything serves everybody who asks, and how long what the accounts
// say of people.
const (
	liveFor  = 500 * time.Millisecond
	usersFor = 5 * time.Second
)

// liveCache lets several administrators look at the price of one.
type liveCache struct {
	mu      sync.Mutex
	at      time.Time
	body    []byte
	usersAt time.Time
	users   map[string]account.User
}

// forget makes the next look a fresh one.
func (l *liveCache) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at, l.usersAt = time.Time{}, time.Time{}
}

func (a *App) adminLive(c *fiber.Ctx) error {
	l := &a.admin.live
	l.mu.Lock()
	defer l.mu.Unlock()
	now := a.cfg.Now()
	if age := now.Sub(l.at); age < 0 || age >= liveFor || l.body == nil {
		users, err := a.usersByID(c.UserContext(), now)
		if err != nil {
			return err
		}
		body, err := json.Marshal(a.look(users, now))
		if err != nil {
			return err
		}
		l.body, l.at = body, now
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(l.body)
}

// usersByID is called with the cache's lock held.
func (a *App) usersByID(ctx context.Context, now time.Time) (map[string]account.User, error) {
	l := &a.admin.live
	if age := now.Sub(l.usersAt); l.users != nil && age >= 0 && age < usersFor {
		return l.users, nil
	}
	users, err := a.cfg.Accounts.Users(ctx)
	if err != nil {
		return nil, err
	}
	l.users, l.usersAt = make(map[string]account.User, len(users)), now
	for _, u := range users {
		l.users[u.ID] = u
	}
	return l.users, nil
}

// look gathers everything as it is now.
func (a *App) look(users map[string]account.User, now time.Time) liveBody {
	admin := a.cfg.Admin
	body := liveBody{
		ServerTime: now.UnixMilli(), Node: admin.Node, Version: admin.Version, UptimeS: int64(now.Sub(admin.Started).Seconds()),
		People: []personBody{}, Calls: []callBody{}, Nodes: []nodeBody{},
		Ports: list(admin.Relay.Ports()), Forecast: admin.Watch.Forecast(), Warnings: list(admin.Watch.Warnings()),
	}
	places, site := newPlaces(admin.Segments.Load()), admin.Firewall()
	for _, p := range a.cfg.Hub.People() {
		body.People = append(body.People, personBodyOf(p, users[p.User.ID], places, site))
	}
	for _, call := range a.cfg.Hub.Calls() {
		body.Calls = append(body.Calls, callBodyOf(call, places))
	}
	for _, n := range a.cfg.Hub.Nodes() {
		body.Nodes = append(body.Nodes, nodeBody(n))
	}
	body.Allocations = a.allocationBodies(now)
	body.Segments, body.LeftOut = places.bodies()
	return body
}

func personBodyOf(p hub.PersonView, user account.User, places *places, site firewall.Site) personBody {
	body := personBody{
		ID: p.User.ID, Name: p.User.Name, Guest: user.Guest(), Admin: user.Admin, Status: p.Status, Devices: []deviceBody{},
	}
	in := map[string]bool{}
	for _, d := range p.Devices {
		device := deviceBody{
			Device: d.Device, Session: d.Session, Address: addressText(d.Link.Remote), Segment: places.of(d.Link.Remote.Addr()),
			Transport: d.Link.Transport, Since: d.Since.UnixMilli(), Away: d.Away,
		}
		if d.Path != nil {
			device.Path = &devicePathBody{d.Path.At.UnixMilli(), list(d.Path.Legs), findings(site, d)}
		}
		in[device.Segment] = true
		body.Devices = append(body.Devices, device)
	}
	for name := range in {
		places.people[name]++
	}
	return body
}

// findings of a device's own legs, without the rules: there may be a thousand devices, and
// GET /admin/firewall writes them.
func findings(site firewall.Site, d hub.DeviceView) []pathtest.Finding {
	return list(pathtest.Diagnose(d.Path.Legs, pathtest.Site{Site: site, Client: d.Link.Remote.Addr(), Server: d.Link.Local}))
}

func callBodyOf(call hub.CallView, places *places) callBody {
	body := callBody{Call: call.ID, State: call.State, Media: call.Media, Since: call.Since.UnixMilli()}
	if !call.Started.IsZero() {
		body.Started = call.Started.UnixMilli()
	}
	in := map[string]bool{}
	for _, e := range call.Ends {
		end := endBody{
			User: whoBody(e.User), Device: e.Device, Address: addressText(e.Link.Remote), Segment: places.of(e.Link.Remote.Addr()),
			Samples: make([]sampleBody, len(e.Samples)),
		}
		for i, s := range e.Samples {
			end.Samples[i] = sampleBody{s.At.UnixMilli(), s.RTTMS, s.Loss, s.UpKbps, s.DownKbps}
		}
		if r := e.Report; r != nil {
			end.Report = &reportBody{sampleBody{r.At.UnixMilli(), r.RTTMS, r.Loss, r.UpKbps, r.DownKbps}, r.Path}
		}
		in[end.Segment] = true
		body.Ends = append(body.Ends, end)
	}
	for name := range in {
		places.calls[name]++
	}
	return body
}

func (a *App) allocationBodies(now time.Time) []allocationBody {
	allocations := a.cfg.Admin.Relay.Allocations()
	rates := a.admin.rates.of(allocations, now)
	bodies := make([]allocationBody, len(allocations))
	for i, al := range allocations {
		rate := rates[al.ID]
		bodies[i] = allocationBody{
			ID: al.ID, User: al.User, Session: al.Session, Client: al.Client, Server: al.Server, Relayed: al.Relayed,
			Transport: al.Transport, Peers: list(al.Peers), Created: al.Created.UnixMilli(), Expires: al.Expires.UnixMilli(),
			Outside: al.Outside, UpKbps: rate.upKbps, DownKbps: rate.downKbps,
			BytesUp: al.BytesUp, BytesDown: al.BytesDown, Dropped: al.Dropped,
		}
	}
	return bodies
}

func addressText(at netip.AddrPort) string {
	if !at.IsValid() {
		return ""
	}
	return at.Addr().Unmap().String()
}

// places tells the segments of addresses and counts who is in them.
type places struct {
	table  *segment.Table
	known  map[netip.Addr]string
	people map[string]int
	calls  map[string]int
}

func newPlaces(table *segment.Table) *places {
	return &places{table: table, known: map[netip.Addr]string{}, people: map[string]int{}, calls: map[string]int{}}
}

// of is the segment's name, empty for none.
func (p *places) of(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	name, known := p.known[addr]
	if !known {
		s, _ := p.table.Find(addr)
		name = s.Name
		p.known[addr] = name
	}
	return name
}

func (p *places) bodies() ([]segmentBody, []leftOutBody) {
	segments, out := []segmentBody{}, []leftOutBody{}
	for _, s := range p.table.Segments {
		body := segmentBody{
			Name: s.Name, Clients: list(s.Clients), ServerAddresses: list(s.ServerAddresses), TURNAddresses: []string{},
			Transports: list(s.Transports), Derived: s.Derived, Interface: s.Interface, People: p.people[s.Name], Calls: p.calls[s.Name],
		}
		for _, at := range s.TURNAddresses {
			text := at.String()
			if at.Port() == 0 {
				text = at.Addr().String()
			}
			body.TURNAddresses = append(body.TURNAddresses, text)
		}
		segments = append(segments, body)
	}
	for _, l := range p.table.LeftOut {
		out = append(out, leftOutBody{l.Interface, l.Segment, l.Prefix, l.Reason})
	}
	return segments, out
}
