// Network namespaces, as `ip netns` knows them.
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';

/** Runs a command to its end and returns what it printed. Throws with its stderr. */
export function sh(command, args, input = '') {
  return execFileSync(command, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Runs lines of `ip` inside a namespace, in one process. */
export function ipBatch(ns, lines) {
  sh('ip', ['-n', ns, '-batch', '-'], `${lines.join('\n')}\n`);
}

export const add = (ns) => sh('ip', ['netns', 'add', ns]);

export const list = () =>
  sh('ip', ['netns', 'list']).split('\n').map((line) => line.split(' ')[0]).filter(Boolean);

/** The argument vector that runs a command inside a namespace. */
export const inside = (ns, argv) => ['ip', 'netns', 'exec', ns, ...argv];

export function run(ns, argv, input = '') {
  const [command, ...args] = inside(ns, argv);
  return sh(command, args, input);
}

/** Like run, without holding up everything else. */
export function runAsync(ns, argv) {
  const [command, ...args] = inside(ns, argv);
  return new Promise((resolve, reject) => {
    execFile(command, args, { encoding: 'utf8' }, (error, stdout, stderr) =>
      error ? reject(new Error(`${argv.join(' ')} in ${ns}: ${stderr || error.message}`)) : resolve(stdout));
  });
}

/** Starts a long-lived process inside a namespace. */
export function start(ns, argv, options = {}) {
  const [command, ...args] = inside(ns, argv);
  return spawn(command, args, options);
}

/** Removes namespaces, after whatever still runs in any of them has been ended. */
export function remove(names) {
  names.forEach(endProcesses);
  for (const ns of names) sh('ip', ['netns', 'delete', ns]);
}

function endProcesses(ns) {
  for (const pid of sh('ip', ['netns', 'pids', ns]).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

/** Runs a command on this terminal; returns its exit code. */
export function attach(command, args) {
  return spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;
}
