// What the server says by code: warnings, effects, problems, findings.
export const codes = {
  "warning.ports_tight": "Relay ports at {address} run short: {free} free, {used} in use.",
  "warning.ports_full": "All relay ports at {address} are in use: new calls cannot be relayed.",
  "warning.refused_recently":
    "{count} {count|allocation was|allocations were} refused at {address} in the last {minutes} minutes.",
  "warning.clock_suspect_jumped": "The server's clock was set by {seconds} s.",
  "warning.clock_suspect_before_certificate":
    "The server's clock is before the day on which its certificate was made.",
  "warning.clock_suspect_clients_differ": "Most devices' clocks differ from the server's by {seconds} s.",
  "warning.cert_expiring": "The server's certificate ends in {days} {days|day|days}.",
  "warning.ca_expiring": "The site's own CA ends in {days} {days|day|days}.",
  "warning.names_refused": "Some addresses or names are not in the certificate: {names}",
  "warning.redis_down": "Redis does not answer: this server does not see people on other servers.",
  "warning.database_down": "The database does not answer: nobody can sign in, and settings cannot be kept.",
  "warning.segment_without_relay": "Clients in the segment {segment} are given no relay.",
  "warning.peers_any":
    "The relay reaches any address: signed-in people can reach printers and routers through it.",

  "warning_how.ports_tight": "Widen the range of relay ports, and open it in the firewall.",
  "warning_how.ports_full": "Widen the range of relay ports now, and open it in the firewall.",
  "warning_how.refused_recently": "Widen the range, or look at who holds so many ports.",
  "warning_how.clock_suspect":
    "Check the date and time of the server: sessions and certificates depend on them.",
  "warning_how.cert_expiring":
    "It is renewed by itself while the server runs. If this stays for a day, look at the server's log.",
  "warning_how.ca_expiring": "Make a new one in time; every device has to install it.",
  "warning_how.names_refused":
    "The CA may only name private addresses and local names. Reach the server by another one.",
  "warning_how.redis_down": "Check that Redis runs and is reached from here.",
  "warning_how.database_down": "Check that the database runs, and that its disk is not full.",
  "warning_how.segment_without_relay": "Give it relay addresses, or allow it a transport.",
  "warning_how.peers_any": "Choose “Signed-in people”, unless you need this for a test.",

  "effect.ports_kept":
    "{calls} {calls|call uses|calls use} ports outside of it; they keep them until they end.",
  "effect.ports_kept_idle":
    "{allocations} {allocations|allocation uses a port|allocations use ports} outside of it, kept until the end.",
  "effect.ports_free": "{free} ports of the range are free; those that move need {need}.",
  "effect.ports_taken": "Other programs hold {count} ports of the range: {ports}",
  "effect.peers_refused":
    "{allocations} running {allocations|allocation has a peer|allocations have peers} that the new choice refuses: packets to them stop.",
  "effect.over_quota":
    "{n} {n|session has|sessions have} more allocations than the new limit; they keep those they have.",
  "effect.relay_open":
    "Everybody who is signed in can then send through the relay to every device on the network, printers and routers too.",
  "effect.slower_each":
    "Each relayed connection gets at most {kbps} kbit/s, also the {allocations} that {allocations|runs|run} now.",
  "effect.slower_all":
    "All relayed connections together get at most {kbps} kbit/s; {allocations} {allocations|runs|run} now.",
  "effect.firewall":
    "Firewalls must let UDP {ports} through to this server; see Segments for rules to paste.",
  "effect.segment_gone": "The segment {segment} goes; {people} {people|person is|people are} in it now.",
  "effect.segment_loses_transport":
    "{people} {people|device|devices} in {segment} may not use {transport} to the relay any more.",
  "effect.segment_address_absent": "{segment} names {address}, which no interface of this server has now.",
  "effect.registration_open": "From now on, everybody on this network can create an account.",
  "effect.registration_invite": "From now on, joining takes an invite.",
  "effect.registration_closed": "From now on, nobody new can join.",

  "problem.range_reversed": "The last port is before the first.",
  "problem.range_privileged": "Ports under 1024 belong to the system.",
  "problem.range_too_high": "There are no ports above 65535.",
  "problem.range_too_small": "The range is too small.",
  "problem.range_too_small_for_calls": "The range is too small for the calls that run.",
  "problem.range_own_port": "A port of this server itself is in the range.",
  "problem.range_taken": "Other programs hold the ports of this range.",
  "problem.prefix_invalid": "Something in it is no network.",
  "problem.outside_segment": "This address is not in a network that the server has.",
  "problem.no_transport": "No transport is left for it.",
  "problem.unknown": "The server does not know this.",
  "problem.missing": "This is needed.",

  "found.clock_off": "Clocks differ: the device is {offset}.",
  "found.name_unresolved": "The server's name has no address there.",
  "found.server_unreachable": "The server's page does not answer at {target}.",
  "found.untrusted": "The site's certificate is not trusted there.",
  "found.signalling_failed": "The page answers, but signalling does not.",
  "found.signalling_fallback": "WebSockets fail; signalling goes over the slower fallback.",
  "found.signalling_slow": "Signalling takes long.",
  "found.sign_in_again": "The server refuses this session's credential.",
  "found.relay_unreachable": "No way to the relay works; the first that fails is {target}.",
  "found.relay_down": "{target} refuses: no relay listens there, or a firewall rejects.",
  "found.relay_busy": "The relay is reached, but gives no relay port.",
  "found.udp_blocked": "UDP to port {port} does not pass; calls go over TCP, with longer delays.",
  "found.one_port_only": "Only the HTTPS port {port} passes; calls go over it, with longer delays.",
  "found.tcp_blocked": "TCP to port {port} does not pass; calls go over UDP.",
  "found.https_turn_failed": "The relay on the HTTPS port {port} fails; other ways work.",
  "found.stun_silent": "STUN does not answer, though the relay at the same port does.",
  "found.relay_slow": "The relay takes {ms} ms to answer.",
  "found.lossy": "{loss} % of the packets are lost on the way to the relay and back.",
  "found.large_packets_lost": "Small packets pass and large ones are lost.",
  "found.slow": "The way to the relay is slow: {kbps} kbit/s, {rtt_ms} ms.",
  "found.ports_blocked": "Relay ports {ranges} do not pass; {answered} of {asked} sampled ports answered.",
  "found.all_ports_blocked": "None of the relay ports {range} pass.",
  "found.nat_varies": "A NAT on the way gives each destination another port: calls go over the relay.",
  "found.pair_relay_failed": "Both devices reach the relay, but not each other through it.",
  "found.pair_unreachable": "The two devices cannot reach each other in any way.",
  "found.pair_gone": "The other device went away during the test.",
  "found.pair_slow": "The path between the two devices is poor.",
  "found.direct_blocked": "The two devices do not reach each other directly; their calls go over the relay.",
  "found.test_failed": "The test of {target} itself failed.",

  "found_how.clock_off": "Set the clock that is wrong: certificates and sessions are judged by it.",
  "found_how.name_unresolved": "Open the site by its address, or mend the network's DNS.",
  "found_how.server_unreachable": "Check the route from that network to the server, and firewalls between.",
  "found_how.untrusted":
    "Install the certificate on that device; the start page shows how. iPhones refuse signalling without it.",
  "found_how.signalling_failed":
    "Look for a proxy or a filter between that breaks WebSockets and long answers.",
  "found_how.signalling_fallback":
    "Install the site's certificate there, or look for a proxy between that does not pass WebSockets.",
  "found_how.signalling_slow": "Look at the load of the server and of the network.",
  "found_how.sign_in_again": "They should sign out and in again; if that does not help, compare clocks.",
  "found_how.relay_busy": "Widen the relay ports, and look at who uses them.",
  "found_how.relay_down": "Run “fieldphone doctor” on the server. If all is well there, a firewall rejects.",
  "found_how.one_port_only": "Calls work. Opening the other ports makes them better.",
  "found_how.tcp_blocked": "Calls work. This helps those whose networks drop UDP.",
  "found_how.https_turn_failed":
    "Look for a proxy between that speaks only HTTP at this port; check turn.on_https_port.",
  "found_how.stun_silent": "Look for a firewall that inspects STUN (an ALG), and switch that off.",
  "found_how.relay_slow": "Look at the load of the server and of the network.",
  "found_how.lossy": "Look for a weak Wi-Fi signal or a full link; a cable to the access point helps.",
  "found_how.large_packets_lost":
    "Lower the MTU on the tunnel or link in between, or let ICMP “fragmentation needed” through.",
  "found_how.slow": "Look for a weak Wi-Fi signal or a full link.",
  "found_how.ports_blocked":
    "A firewall lets only a part of the range through. Open the rest, or narrow the range to what is open.",
  "found_how.all_ports_blocked":
    "Calls between two relayed devices work; to one without a relay they need these ports open.",
  "found_how.pair_relay_failed":
    "Run “fieldphone doctor” on the server. Of two servers, each must reach the other's relay ports.",
  "found_how.pair_unreachable": "Ask each of the two alone: that names the leg that fails.",
  "found_how.pair_gone": "Run the test again while both pages are open.",
  "found_how.pair_slow": "Ask each of the two alone to see whose side it is.",
  "found_how.test_failed": "Run the test again.",

  "offset.ahead": "{time} ahead",
  "offset.behind": "{time} behind",

  "action.path_test.start": "asked for a path test",

  "at.router": "on the router between",
  "at.server": "on the server itself",

  "finding.where": "Where it goes",
} as const;
