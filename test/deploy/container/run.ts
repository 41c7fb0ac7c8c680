import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cannotRun, findTool, needTool } from '../../support/tools.ts'
import type { Built } from './build.ts'
import { last, type Stage, words } from './dockerfile.ts'

const executeFile = promisify(execFile)

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What is other than in the image. */
interface Changes {
  /** In the place of CMD. */
  readonly args?: readonly string[]
  /** A folder of this machine, and where it is mounted, read-only. */
  readonly mount?: readonly [from: string, to: string]
}

/** A container that runs. */
export interface Container extends AsyncDisposable {
  /** Runs a command inside, as its user. */
  exec(command: readonly string[]): Promise<Finished>
  /** Runs a command of this machine in the network of the container. */
  nearby(command: readonly string[]): Promise<Finished>
  /** Sends SIGTERM, as an engine does, and waits for the end. */
  stop(): Promise<Finished>
}

const tools = ['unshare', 'nsenter', 'setpriv', 'mount', 'ip']
const isRoot = (): boolean => process.platform === 'linux' && process.getuid?.() === 0

/** Whether {@link start} can do its work here. */
export const canIsolate = (): boolean => isRoot() && tools.every(tool => findTool(tool) !== undefined)

/** Skips the test where it cannot; in CI it fails. */
export function needIsolation(): void {
  if (!isRoot()) cannotRun('This needs root on Linux, for namespaces of its own: run it with sudo.')
  for (const tool of tools) needTool(tool, tool === 'ip' ? 'iproute2' : 'util-linux')
}

/**
 * Runs an image as a hardened engine would: namespaces of its own for mounts, processes and network, the root read-only,
 * the user of the image, no capability, nothing to gain by setuid. What the base image would bring (Node, the C
 * library) is this machine's, read-only too.
 */
export async function start({ root, stage }: Built, { args, mount }: Changes = {}): Promise<Container> {
  await prepare(root, mount?.[1])
  const env = environment(stage)
  const as = asUser(last(stage, 'USER'))
  const command = [...words(last(stage, 'ENTRYPOINT')), ...(args ?? words(last(stage, 'CMD')))]
  const child = spawn(
    'unshare',
    [...isolation, root, process.execPath, ...(mount ?? ['', '']), last(stage, 'WORKDIR'), ...as, ...command],
    { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000, killSignal: 'SIGKILL' },
  )
  const finished = collect(child)
  await untilReady(child, finished)
  const inside = await firstProcess(child)
  const within = (what: readonly string[], line: readonly string[]) =>
    runToEnd('nsenter', [`--target=${inside}`, ...what, '--', ...line], env)
  return {
    exec: line => within(['--mount', '--pid', '--net', '--root', '--wd'], [...as, ...line]),
    nearby: line => within(['--net'], line),
    stop: () => {
      process.kill(inside, 'SIGTERM')
      return finished
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await finished
    },
  }
}

/** Folders that the base image has, and Debian's merged /usr. */
async function prepare(root: string, mounted = '/'): Promise<void> {
  for (const folder of ['nodejs/bin', 'usr', 'proc', 'dev', mounted])
    await mkdir(join(root, folder), { recursive: true })
  for (const name of ['lib', 'lib64']) await symlink(`usr/${name}`, join(root, name)).catch(ignoreExisting)
}

/** An image may be started more than once. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

/**
 * What runs in the new namespaces before the root is changed. $1 is the root, $2 Node, $3 a folder to mount and $4
 * where, $5 the working directory; then comes the command.
 */
const enter = `
root=$1 node=$2 from=$3 to=$4 directory=$5; shift 5
freeze() { mount --rbind "$1" "$root/$2"; mount -o remount,bind,ro "$root/$2"; }
ip link set lo up
mount --bind "$root" "$root"
freeze /usr usr
freeze "$(dirname "$node")" nodejs/bin
[ -z "$from" ] || freeze "$from" "$to"
mount --rbind /dev "$root/dev"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot "$root" /usr/bin/env --chdir="$directory" "$@"
`
const isolation = ['--mount', '--pid', '--net', '--fork', '--kill-child', 'sh', '-euc', enter, 'sh']

function asUser(user: string): string[] {
  const [uid, gid] = user.split(':')
  const rights = ['--clear-groups', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all']
  // A change of the user makes a process forget that it is to die with its parent.
  return ['/usr/bin/setpriv', `--reuid=${uid}`, `--regid=${gid}`, ...rights, '--pdeathsig=KILL', '--']
}

/** That of the image, and HOME, which an engine sets: from the base image's passwd, else to the root. */
function environment({ instructions }: Stage): Record<string, string> {
  const lines = instructions.filter(({ name }) => name === 'ENV')
  const pairs = lines.map(({ rest }) => /^(\w+)=(.*)$/.exec(rest)!.slice(1))
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/home/nonroot', ...Object.fromEntries(pairs) }
}

function collect(child: ChildProcess): Promise<Finished> {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', text => {
      output[name] += text
    })
  }
  return once(child, 'close').then(([code]) => ({ code, ...output }))
}

function untilReady(child: ChildProcess, finished: Promise<Finished>): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', text => /rawhttp listening on /.test(text) && resolve())
    finished.then(({ code, stderr }) => reject(new Error(`It ended with ${code}: ${stderr}`)), reject)
  })
}

/** unshare waits: its only child is process 1 of the container. */
async function firstProcess({ pid }: ChildProcess): Promise<number> {
  return Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))
}

async function runToEnd(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Finished> {
  return executeFile(command, args, { env, timeout: 30_000, killSignal: 'SIGKILL' }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  )
}
