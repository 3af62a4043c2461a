// The lab's commands. run.sh starts this with the rights it needs.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { check } from './check.mjs';
import { Lab } from './lab.mjs';
import * as netns from './netns.mjs';
import { takePictures } from './pictures.mjs';
import { places } from './plan.mjs';
import { Report } from './report.mjs';
import { scenarios } from './scenarios/index.mjs';
import { isRunning, owners, Topology } from './topology.mjs';

const out = fileURLToPath(new URL('out', import.meta.url));

const help = `usage: ./run.sh [COMMAND]
  run [SCENARIO...]   prove the network, then play the scenarios (default: all)
  check               prove the network alone
  list                name the scenarios
  pictures FOLDER     make the README's pictures of a real call
  up                  make the network, start the server, stand until Ctrl-C
  in PLACE COMMAND... run something in a place of the lab that stands
  direct on|off [PLACE]  let r (or a hotspot) pass all, or only the server's traffic
  clean               remove what a killed lab left behind
options: --trust nss|ignore  put the CA into Chromium's store, or click warnings away
         --binary FILE       the server to test; without it one is built
         --relay-path PATH   auto, kernel, user or plain: how the server relays packets
         --times N           play each scenario so often
         --out FOLDER        where results, logs and screenshots go (default: out/)
places: ${places.join(' ')}
`;

/** Makes a lab that goes away with this process, however it ends. */
function makeLab(options) {
  const topology = new Topology();
  process.on('exit', () => topology.destroy());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
  topology.create();
  return new Lab(topology, options);
}

async function prove(lab, report) {
  await check(lab.topology, (name, error) => report.checked(name, error));
}

async function run(names, options) {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(' ')}; ./run.sh list names them`);
  const report = new Report(options.out);
  const lab = makeLab(options);
  await prove(lab, report);
  if (!report.failed) {
    report.started(await lab.open());
    for (const scenario of scenarios) {
      const asked = names.length === 0 ? !scenario.only : names.includes(scenario.name);
      for (let i = 0; asked && i < options.times; i += 1) await report.play(scenario, lab);
    }
    await report.tidy(() => lab.close());
  }
  return report.finish();
}

async function checkOnly(options) {
  const report = new Report(options.out);
  await prove(makeLab(options), report);
  return report.finish();
}

async function pictures([folder], options) {
  if (!folder) throw new Error('pictures into which folder?');
  const lab = makeLab(options);
  await lab.open();
  try {
    await takePictures(lab, folder);
  } catch (error) {
    await lab.evidence(join(options.out, 'pictures'));
    throw error;
  }
  await lab.close();
}

async function up(options) {
  const lab = makeLab(options);
  await lab.open();
  console.log(`standing as ${lab.topology.id}; Ctrl-C takes it down. From another terminal:`);
  console.log('  ./run.sh in a1 bash            a shell there; also in', places.join(' '));
  console.log('  ./run.sh in srv tcpdump -ni any udp port 3478');
  console.log('  ./run.sh direct off            the router passes only what concerns the server');
  console.log(`the page: ${lab.addresses().join(' or ')}; the CA: ${lab.server.caFile}; the log: ${lab.logFile}`);
  await new Promise(() => setInterval(() => {}, 1 << 30));
}

/** The one lab that stands. */
function standing() {
  const [owner, ...others] = owners().filter(isRunning);
  if (!owner) throw new Error('no lab is standing; start one with ./run.sh up');
  if (others.length > 0) throw new Error('more than one lab is standing; use ip netns list and ip netns exec');
  return new Topology(owner);
}

function enter([place, ...command]) {
  const [file, ...args] = netns.inside(standing().ns(place), command.length > 0 ? command : ['bash']);
  return netns.attach(file, args);
}

function direct([state, place = 'r']) {
  if (!['on', 'off'].includes(state)) throw new Error('direct on, or direct off?');
  standing().direct(state === 'on', place);
}

function clean() {
  for (const owner of owners().filter((pid) => !isRunning(pid))) new Topology(owner).destroy();
}

function list() {
  for (const { name, about, only } of scenarios) console.log(`${name.padEnd(22)} ${about}${only ? ' (only when named)' : ''}`);
}

async function main([command = 'run', ...rest]) {
  if (command === 'in') return enter(rest);
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: { trust: { type: 'string', default: 'nss' }, binary: { type: 'string' }, 'relay-path': { type: 'string', default: 'auto' }, times: { type: 'string', default: '1' }, out: { type: 'string', default: out } },
  });
  if (!['nss', 'ignore'].includes(values.trust)) throw new Error('--trust nss, or --trust ignore?');
  if (!(values.times >= 1)) throw new Error('--times 1 or more?');
  const commands = { run: () => run(positionals, values), check: () => checkOnly(values), list, clean };
  commands.pictures = () => pictures(positionals, values);
  commands.up = () => up(values);
  commands.direct = () => direct(positionals);
  commands.help = () => console.log(help);
  if (!(command in commands)) throw new Error(`no command ${command}\n${help}`);
  return commands[command]();
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code ?? 0),
  (error) => {
    console.error(`lab: ${stripVTControlCharacters(error.message)}`);
    process.exit(1);
  },
);
