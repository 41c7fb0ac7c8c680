import { FreshModules } from '../config/fresh-modules.ts'
import { asError } from '../errors.ts'
import type { ListeningAddress } from '../server.ts'
import { writeError } from '../stderr.ts'
import type { Args } from './args.ts'
import { build } from './build.ts'
import { keepCompiled } from './compile-cache.ts'
import { type Control, openControl as open } from './control.ts'
import { defaultPath } from './control-path.ts'
import { catchHangUps } from './hang-ups.ts'
import { inlineMore } from './inlining.ts'
import { takeNotifier } from './notify.ts'
import { type Outcome, Reloader } from './reloader.ts'
import type { Running } from './running.ts'
import { type Settings, settle } from './settings.ts'
import { endAtOnce, untilStopped } from './signals.ts'
import { takeWorkerNumber } from './workers/number.ts'

/** `rawhttp start`: serves until a signal ends it, and gives the exit code. */
export async function start(args: Args): Promise<number> {
  const hangUps = catchHangUps()
  const systemd = takeNotifier(process.env)
  const settings = settle(args, process.env)
  const number = takeWorkerNumber(process.env)
  if (number !== null) {
    const { work } = await import('./workers/worker.ts')
    return await work(args, settings, number)
  }
  const serves = endAtOnce()
  const running = settings.workers === null ? await serveHere(args, settings) : await serveByWorkers(settings)
  const stopped = untilStopped(systemd.stopping(running))
  serves()
  for (const { url } of running.addresses) writeError(`rawhttp listening on ${url}\n`)
  systemd.ready(() => running.addresses)
  const reload = () => systemd.reloading(() => running.reload())
  const control = await openControl(settings, running.addresses, reload).catch(error =>
    stopAndThrow(running, error),
  )
  hangUps.handle(() => void reload())
  keepCompiled()
  if (settings.workers === null) inlineMore()
  const unwatch = args.flags.has('watch') ? await running.watch() : none
  const code = await Promise.race([stopped, running.ended])
  unwatch()
  control?.close()
  return code
}

async function serveHere(args: Args, settings: Settings): Promise<Running> {
  const cwd = process.cwd()
  const modules = new FreshModules()
  const server = await build(settings, { modules, cwd })
  await server.listen()
  const reloader = new Reloader({ server, modules, settings, args, cwd })
  return {
    get addresses() {
      return server.listeners
    },
    ended: new Promise(() => undefined),
    stop: options => server.stop(options),
    reload() {
      // Plugins that have log files open them anew.
      process.emit('SIGUSR2', 'SIGUSR2')
      return reloader.reload()
    },
    async watch() {
      const { watchModules } = await import('./watch.ts')
      return watchModules(modules, reloader)
    },
  }
}

async function serveByWorkers(settings: Settings): Promise<Running> {
  const { startWorkers } = await import('./workers/primary.ts')
  return await startWorkers({ count: settings.workers!, isRolling: settings.rolling })
}

/** Without the socket that nobody asked for a server is fine; it says what is missing. */
async function openControl(
  settings: Settings,
  addresses: readonly ListeningAddress[],
  reload: () => Promise<Outcome>,
): Promise<Control | null> {
  const commands = { reload }
  if (settings.control !== undefined) return await open(settings.control, commands)
  try {
    return await open(defaultPath(settings, portIn(addresses)), commands)
  } catch (error) {
    const { message } = asError(error)
    writeError(`rawhttp: no control socket for rawhttp reload (--control PATH makes one): ${message}\n`)
    return null
  }
}

/** The first port that is listened on. */
function portIn(addresses: readonly ListeningAddress[]): number | null {
  const port = addresses.map(({ url }) => /^https?:.*:(\d+)$/.exec(url)?.[1]).find(each => each !== undefined)
  return port === undefined ? null : Number(port)
}

async function stopAndThrow(running: Running, error: unknown): Promise<never> {
  await running.stop({ deadline: 0 })
  throw error
}

const none = (): void => undefined
