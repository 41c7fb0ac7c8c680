import { FreshModules } from '../config/fresh-modules.ts'
import { asError } from '../errors.ts'
import type { ListeningAddress, Server } from '../server.ts'
import { writeError } from '../stderr.ts'
import type { Args } from './args.ts'
import type { Control } from './control.ts'
import { catchHangUps } from './hang-ups.ts'
import { takeNotifier } from './notify.ts'
import { asConfigMistake, prepare } from './prepare.ts'
import type { Outcome, Reloader } from './reloader.ts'
import { type Settings, settle } from './settings.ts'
import { untilStopped } from './signals.ts'

/** `rawhttp start`: serves until a signal ends it, and gives the exit code. */
export async function start(args: Args): Promise<number> {
  const hangUps = catchHangUps()
  const systemd = takeNotifier(process.env)
  const settings = settle(args, process.env)
  const cwd = process.cwd()
  const modules = new FreshModules()
  const server = await build(settings, cwd, modules)
  const addresses = await server.listen()
  const stopped = untilStopped(systemd.stopping(server))
  for (const { url } of addresses) writeError(`rawhttp listening on ${url}\n`)
  systemd.ready(() => server.listeners)
  const { Reloader } = await import('./reloader.ts')
  const reloader = new Reloader({ server, modules, settings, args, cwd })
  const reload = () => systemd.reloading(() => reloadAll(reloader))
  const control = await openControl(settings, addresses, reload).catch(error => stopAndThrow(server, error))
  hangUps.handle(() => void reload())
  const unwatch = args.flags.has('watch') ? await watch(modules, reloader) : none
  const code = await stopped
  unwatch()
  control?.close()
  return code
}

async function build(settings: Settings, cwd: string, modules: FreshModules): Promise<Server> {
  const load = modules.begin()
  const { config, notices } = await prepare(settings, cwd, { importer: load })
  load.end(true)
  for (const notice of notices) say(notice)
  if (settings.verbose && config.file !== null) say(`config ${config.file}, mode ${settings.mode}`)
  const { buildServer } = await import('../server.ts')
  return await buildServer(config).catch(asConfigMistake)
}

/** Config, certificates, logs: plugins that have log files open them anew at SIGUSR2. */
function reloadAll(reloader: Reloader): Promise<Outcome> {
  process.emit('SIGUSR2', 'SIGUSR2')
  return reloader.reload()
}

/** Without the socket that nobody asked for a server is fine; it says what is missing. */
async function openControl(
  settings: Settings,
  addresses: readonly ListeningAddress[],
  reload: () => Promise<Outcome>,
): Promise<Control | null> {
  const [{ openControl: open }, { defaultPath }] = await Promise.all([
    import('./control.ts'),
    import('./control-path.ts'),
  ])
  const commands = { reload }
  if (settings.control !== undefined) return await open(settings.control, commands)
  try {
    return await open(defaultPath(settings, portIn(addresses)), commands)
  } catch (error) {
    say(`no control socket for rawhttp reload (--control PATH makes one): ${asError(error).message}`)
    return null
  }
}

/** The first port that is listened on. */
function portIn(addresses: readonly ListeningAddress[]): number | null {
  const port = addresses.map(({ url }) => /^https?:.*:(\d+)$/.exec(url)?.[1]).find(each => each !== undefined)
  return port === undefined ? null : Number(port)
}

async function watch(modules: FreshModules, reloader: Reloader): Promise<() => void> {
  const { watchModules } = await import('./watch.ts')
  return watchModules(modules, reloader)
}

async function stopAndThrow(server: Server, error: unknown): Promise<never> {
  await server.stop({ deadline: 0 })
  throw error
}

function say(line: string): void {
  writeError(`rawhttp: ${line}\n`)
}

const none = (): void => undefined
