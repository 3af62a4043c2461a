//go:build ignore

// The kernel path: forwards ChannelData of known channels, and what peers send
// to known relay ports, at the ingress of an interface (TCX, Linux 6.6). What it
// does not know or does not like it leaves alone, so that the sockets get it.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stddef.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define HEADER 4 /* of ChannelData, RFC 8656 section 12.4 */
#define TTL 64
#define DONT_FRAGMENT 0x4000
#define MORE_FRAGMENTS 0x2000
#define OFFSET 0x1fff

/* enum tcx_action_base of linux/bpf.h, which older headers lack. */
#define TCX_NEXT -1
#define TCX_DROP 2

enum kind { STRIP = 1, ADD = 2, REPLACE = 3 };

/* Addresses and ports are as on the wire; channel is 0 for what comes to a relay
 * port. */
struct flow {
	__be32 saddr, daddr;
	__be16 sport, dport;
	__u16 channel;
	__u16 zero;
};

/* What becomes of it. The counters are of payload. */
struct action {
	__be32 saddr, daddr;
	__be16 sport, dport;
	__u16 channel; /* to write, with ADD and REPLACE */
	__u16 kind;
	__u32 ifindex;
	__u32 mtu;
	__u64 packets, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 17);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow);
	__type(value, struct action);
} flows SEC(".maps");

struct sk_buff___sum {
	__u8 ip_summed : 2;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *) __ksym;

#define CHECKSUM_PARTIAL 3

/* A checksum that the sender left to its hardware cannot be changed here. */
static __always_inline int unfinished(struct __sk_buff *skb)
{
	struct sk_buff___sum *kernel = bpf_cast_to_kern_ctx(skb);

	return BPF_CORE_READ_BITFIELD(kernel, ip_summed) == CHECKSUM_PARTIAL;
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

struct headers {
	struct iphdr ip;
	struct udphdr udp;
	__be16 channel;
	__be16 length;
};

/* What the UDP checksum covers of all that changes (RFC 768). */
struct covered {
	__be32 saddr, daddr;
	__be16 sport, dport;
	__be16 length, again;
	__be16 channel, size;
};

SEC("tc/ingress")
int fieldphone(struct __sk_buff *skb)
{
	struct headers old, new;
	struct covered before = {}, after = {};
	struct flow key = {};
	struct action *to;
	__u32 payload, had, has, size;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->gso_segs > 1 || skb->vlan_present)
		return TCX_NEXT;
	__builtin_memset(&old, 0, sizeof(old));
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &old, sizeof(old)) < 0 &&
	    bpf_skb_load_bytes(skb, ETH_HLEN, &old, sizeof(old) - HEADER) < 0)
		return TCX_NEXT;
	if (old.ip.version != 4 || old.ip.ihl != 5 || old.ip.protocol != IPPROTO_UDP ||
	    old.ip.frag_off & bpf_htons(MORE_FRAGMENTS | OFFSET))
		return TCX_NEXT;
	size = bpf_ntohs(old.udp.len);
	if (size < sizeof(struct udphdr) || bpf_ntohs(old.ip.tot_len) != sizeof(struct iphdr) + size ||
	    skb->len < ETH_HLEN + sizeof(struct iphdr) + size)
		return TCX_NEXT;
	payload = size - sizeof(struct udphdr);

	key.saddr = old.ip.saddr;
	key.daddr = old.ip.daddr;
	key.sport = old.udp.source;
	key.dport = old.udp.dest;
	to = NULL;
	had = 0;
	if (payload >= HEADER && (bpf_ntohs(old.channel) & 0xc000) == 0x4000 &&
	    bpf_ntohs(old.length) == payload - HEADER) {
		key.channel = bpf_ntohs(old.channel);
		to = bpf_map_lookup_elem(&flows, &key);
		had = HEADER;
	}
	if (!to) {
		key.channel = 0;
		had = 0;
		to = bpf_map_lookup_elem(&flows, &key);
	}
	if (!to)
		return TCX_NEXT;
	payload -= had;
	has = to->kind == STRIP ? 0 : HEADER;
	if ((to->kind == ADD) != (had == 0) || unfinished(skb))
		return TCX_NEXT;
	size = sizeof(struct udphdr) + has + payload;
	if (sizeof(struct iphdr) + size > to->mtu)
		return TCX_NEXT;

	__builtin_memset(&new, 0, sizeof(new));
	new.ip.version = 4;
	new.ip.ihl = 5;
	new.ip.tot_len = bpf_htons(sizeof(struct iphdr) + size);
	new.ip.frag_off = bpf_htons(DONT_FRAGMENT);
	new.ip.ttl = TTL;
	new.ip.protocol = IPPROTO_UDP;
	new.ip.saddr = to->saddr;
	new.ip.daddr = to->daddr;
	new.ip.check = fold(bpf_csum_diff(NULL, 0, (__be32 *)&new.ip, sizeof(new.ip), 0));
	new.udp.source = to->sport;
	new.udp.dest = to->dport;
	new.udp.len = bpf_htons(size);
	if (has) {
		new.channel = bpf_htons(to->channel);
		new.length = bpf_htons(payload);
	}
	if (old.udp.check) {
		before.saddr = old.ip.saddr;
		before.daddr = old.ip.daddr;
		before.sport = old.udp.source;
		before.dport = old.udp.dest;
		before.length = before.again = old.udp.len;
		if (had) {
			before.channel = old.channel;
			before.size = old.length;
		}
		after.saddr = new.ip.saddr;
		after.daddr = new.ip.daddr;
		after.sport = new.udp.source;
		after.dport = new.udp.dest;
		after.length = after.again = new.udp.len;
		after.channel = new.channel;
		after.size = new.length;
		new.udp.check = fold(bpf_csum_diff((__be32 *)&before, sizeof(before), (__be32 *)&after, sizeof(after),
						   (__u16)~old.udp.check));
		if (!new.udp.check)
			new.udp.check = 0xffff;
	}
	if (has != had && bpf_skb_adjust_room(skb, (int)has - (int)had, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_NO_CSUM_RESET) < 0)
		return TCX_NEXT;
	if (has) {
		if (bpf_skb_store_bytes(skb, ETH_HLEN, &new, sizeof(new), BPF_F_RECOMPUTE_CSUM) < 0)
			return TCX_DROP; /* half of it is written */
	} else if (bpf_skb_store_bytes(skb, ETH_HLEN, &new, sizeof(new) - HEADER, BPF_F_RECOMPUTE_CSUM) < 0) {
		return TCX_DROP;
	}
	__sync_fetch_and_add(&to->packets, 1);
	__sync_fetch_and_add(&to->bytes, payload);
	return bpf_redirect_neigh(to->ifindex, NULL, 0, 0);
}

char _license[] SEC("license") = "GPL";
