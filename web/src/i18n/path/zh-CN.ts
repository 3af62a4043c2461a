import type { PathTexts } from "./en";

export const zhCN: PathTexts = {
  title: "连接测试",
  close: "关闭",
  again: "重新测试",
  copy: "复制报告",
  copied: "已复制",
  what: "测试此设备到服务器的各条通路。结果也会发给管理员。",
  running: "正在测试… {done} / {all}",
  waiting: "等待中",
  ms: "{ms} 毫秒",

  "verdict.fine": "一切正常，可以从这里通话。",
  "verdict.some": "可以从这里通话，但有些地方不正常，见下方。",
  "verdict.tcp": "可以从这里通话，但只能经由 TCP：网络不好时，声音和画面可能卡顿。",
  "verdict.none": "无法连接中继。与其他网络的通话会失败，同一 Wi-Fi 内的通话也许可用。",
  "verdict.away": "服务器没有答复。请确认此设备连接的是正确的 Wi-Fi，然后重新测试。",
  "verdict.refused": "服务器没有说明要测试什么。请退出后重新登录；如果一直这样，请告诉管理员。",

  "leg.clock": "时钟",
  "leg.tls": "证书",
  "leg.signalling": "信令",
  "leg.stun": "STUN",
  "leg.turn_udp": "中继（UDP）",
  "leg.turn_tcp": "中继（TCP）",
  "leg.turn_tls": "中继（TLS）",
  "leg.turn_https": "中继（HTTPS 端口）",
  "leg.throughput": "速度与丢包",
  "leg.ports": "中继端口",
  "leg.nat": "地址转换（NAT）",

  "state.ok": "正常",
  "state.slow": "不佳",
  "state.failed": "不通",
  "state.skipped": "未测试",
  "state.running": "正在测试",

  "clock.ok": "误差不超过 {seconds} 秒。",
  "clock.ahead": "此设备的时钟快了 {time}，请校正日期和时间。",
  "clock.behind": "此设备的时钟慢了 {time}，请校正日期和时间。",
  "clock.no_answer": "服务器没有告知时间。",
  "clock.seconds": "{n} 秒",
  "clock.minutes": "{n} 分钟",
  "clock.hours": "{n} 小时",
  "clock.days": "{n} 天",

  "tls.ok": "浏览器信任此证书。",
  "tls.untrusted":
    "浏览器并不信任此证书，只是被允许继续。通话可用；但 TLS 中继和安装为应用都需要先安装证书：{start}",
  "tls.unknown": "此浏览器不提供这一信息。如果打开页面时出现过警告，请安装证书：{start}",

  "signalling.ok": "WebSocket，往返 {rtt} 毫秒。",
  "signalling.fallback": "WebSocket 不通，已改用事件流，通话可用。请安装证书，或请管理员检查中间是否有代理。",
  "signalling.slow": "服务器要 {rtt} 毫秒才答复，Wi-Fi 信号弱或太拥挤。",
  "signalling.timeout": "服务器没有答复，请检查 Wi-Fi。",

  "way.ok": "{target}",
  "way.timeout": "到 {host} 的 {protocol} 端口 {port} 不通，请联系管理员开放。",
  "way.refused": "{host} 的 {protocol} 端口 {port} 拒绝连接，请管理员检查中继是否在此监听。",
  "way.unauthorized": "中继不接受当前的登录。请退出后重新登录；如果一直这样，请告诉管理员。",
  "way.untrusted": "证书不受信任，而这里无法略过警告。请安装证书：{start}",
  "way.name": "本网络中找不到名称 {host} 的地址，请告诉管理员。",
  "way.no_candidate": "浏览器找不到通往 {host} 的途径，请告诉管理员。",
  "way.unsupported": "此浏览器只按名称使用 TLS 中继，而这里没有名称。",
  "way.slow": "可用，但需要 {ms} 毫秒，通话接通会较慢。",

  "throughput.ok": "{mbps} Mbit/s，丢包 {loss}%，往返 {rtt} 毫秒，抖动 {jitter} 毫秒。",
  "throughput.lossy": "途中丢包 {loss}%，声音和画面会断续。请靠近无线接入点，或告诉管理员。",
  "throughput.slow": "只有 {mbps} Mbit/s，往返 {rtt} 毫秒，画面会较差。Wi-Fi 信号弱或太拥挤。",
  "throughput.timeout": "没有任何数据通过中继，请告诉管理员。",
  "throughput.busy": "通话期间不测试。",
  "throughput.no_relay": "没有可供测量的中继。",

  "ports.ok": "测试的 {asked} 个端口全部有应答。",
  "ports.blocked":
    "测试的 {asked} 个端口中有 {count} 个没有应答：{ports}。请管理员开放 {host} 的中继端口（UDP）。",
  "ports.all_blocked":
    "测试的 {asked} 个端口都没有应答。从这里只能通过自己的中继通话。请管理员开放 {host} 的中继端口（UDP）。",
  "ports.skipped": "服务器目前没有空闲端口可供测试。",

  "nat.keeps": "本网络的所有连接使用同一地址，直接通话的机会较大。",
  "nat.changes": "本网络为每个连接换一个地址，与其他网络的通话会经过中继。",
  "nat.skipped": "服务器的两个地址之一没有应答。",

  internal: "测试本身出错了，请重新测试；如果一直这样，请把报告发给管理员。",
};
