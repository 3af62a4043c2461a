const texts = {
  "step.direct": "Direct way",
  "step.relay": "Through the relay",
  "testing.direct": "Testing the direct way…",
  "testing.relay": "Testing the way through the relay…",
  speak: "Say something: it comes back a second later.",
  result: "Echo test result",
  show: "Show the result",
  hide: "Hide the result",
  again: "Test again",
  busy: "Others are using the echo test just now",
  busy_advice: "Try again in a minute or two.",

  "headline.fine": "Everything works. Calls from here will work.",
  "headline.through_relay": "Calls from here will work. They go through the relay.",
  "headline.some": "Calls from here will work. Not everything is as it should be, see below.",
  "headline.devices": "Calls from here will connect, but something needs your attention, see below.",
  "headline.direct_only":
    "Only the direct way works. Calls to people on another network or Wi-Fi may not connect.",
  "headline.none": "No way for sound and picture was found. Calls from here will not connect.",
  "headline.partial": "The call ended before everything was tested. This is what was found.",

  "item.microphone": "Microphone",
  "item.camera": "Camera",
  "item.sound": "Returned sound",
  "item.picture": "Returned picture",
  "item.direct": "Direct way",
  "item.relay": "Through the relay",

  "mark.good": "Good",
  "mark.warn": "Needs attention",
  "mark.bad": "Does not work",
  "mark.none": "Note",

  "code.mic_good": "It picks up sound.",
  "code.mic_faint":
    "Hardly any sound came from it. If you spoke: come closer, or raise its level in the device's settings.",
  "code.mic_silent":
    "Your microphone is silent: check that it is not muted on the device or headset, and that the right one is chosen.",
  "code.mic_muted": "You were muted, so it was not tested. Unmute and test again.",
  "code.camera_good": "It gives a picture.",
  "code.camera_dark": "Its picture is black: open its cover, or turn on a light.",
  "code.camera_still":
    "It gives no picture: another program may hold it. Close that program, or switch the camera off and on again.",
  "code.camera_off": "It was off, so it was not tested. Turn it on and test again.",
  "code.sound_good": "It came back. If you did not hear yourself, turn up the volume or check the speaker.",
  "code.sound_unplayed":
    "Your sound came back, but this page could not play it. Press “Tap to hear” during the call, or allow this page to play sound.",
  "code.sound_none": "Nothing of your sound came back. Test again; if it stays so, tell the administrator.",
  "code.picture_good": "It came back: others can see you.",
  "code.picture_none":
    "Nothing of your picture came back. Test again; if it stays so, tell the administrator.",
  "code.direct_good": "It works.",
  "code.direct_relay": "There is none from here, so calls go through the relay. That is no fault.",
  "code.direct_failed": "Nothing got through.",
  "code.relay_good": "It works.",
  "code.relay_udp": "It works, over UDP.",
  "code.relay_tcp":
    "It works, but only over TCP: sound and picture may stutter when the network is bad. Ask the administrator to let UDP through.",
  "code.relay_tls":
    "It works, but only over TLS: sound and picture may stutter when the network is bad. Ask the administrator to let UDP through.",
  "code.relay_failed":
    "It did not connect within 10 seconds. Test your connection to see why, or try another Wi-Fi.",
  "code.lossy": "Many packets got lost. Move closer to the Wi-Fi access point, or use a cable.",
  "code.slow": "Answers take long: the network is busy or far. Others will hear you late.",

  ms: "{ms} ms",
  ms_less: "under 1 ms",
  lost: "{percent} % lost",
  kbps: "↑ {up} ↓ {down} kbit/s",
  mbps: "↑ {up} ↓ {down} Mbit/s",
} as const;

export type EchoTexts = Record<keyof typeof texts, string>;
export const en: EchoTexts = texts;
