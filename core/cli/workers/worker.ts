import cluster from 'node:cluster'
import { FreshModules } from '../../config/fresh-modules.ts'
import type { Server } from '../../server.ts'
import type { Args } from '../args.ts'
import { build } from '../build.ts'
import { keepCompiled } from '../compile-cache.ts'
import { explain } from '../failure.ts'
import { inlineMore } from '../inlining.ts'
import { Reloader } from '../reloader.ts'
import type { Settings } from '../settings.ts'
import { type Stoppable, untilStopped } from '../signals.ts'
import { Channel, type Port } from './channel.ts'
import { HeldReload } from './held-reload.ts'
import type { StopQuestion } from './protocol.ts'
import { WorkerSeat } from './worker-seat.ts'

/** A worker of `rawhttp start --workers`: serves until its primary or a signal ends it, and gives the exit code. */
export async function work(args: Args, settings: Settings, number: number): Promise<number> {
  const channel = new Channel(process as Port, {}, holdProcess)
  process.channel?.unref()
  process.once('disconnect', leave)
  process.once('disconnect', () => channel.close(new Error('the primary is gone')))
  const cwd = process.cwd()
  const modules = new FreshModules()
  const seat = new WorkerSeat(channel, () => holdProcess(true))
  try {
    // What is said of the config is the same for all.
    const server = await build(settings, { modules, cwd, speaks: number === 1, seat })
    const addresses = await server.listen()
    const stopped = untilStopped(leaving(server, channel))
    const end = Promise.withResolvers<number>()
    const stop = (how: StopQuestion) => stopServer(server, how).then(() => end.resolve(0), end.reject)
    process.off('disconnect', leave)
    onPrimaryGone(() => void stop('usual'))
    answer(channel, server, new Reloader({ server, modules, settings, args, cwd }), stop)
    // Without a primary that hears it, the end is under way.
    await channel.ask('ready', { addresses, fingerprint: modules.fingerprint }).catch(ignore)
    keepCompiled()
    inlineMore()
    return await Promise.race([stopped, end.promise])
  } catch (error) {
    const failure = explain(error, args)
    await channel.ask('failed', failure).catch(ignore)
    return failure.code
  }
}

/** Milliseconds for the first bytes of clients who have just connected to a worker that is replaced. */
const IDLE = 1_000

let holders = 0

/** While nobody waits for the primary, its line does not hold the process: a config that never loads is to be noticed. */
function holdProcess(isHeld: boolean): void {
  holders += isHeld ? 1 : -1
  if (holders > 0) process.channel?.ref()
  else process.channel?.unref()
}

/** The server with a stop by a signal to this process: the primary is to count on others from then on. */
function leaving(server: Server, channel: Channel): Stoppable {
  return {
    stop(options) {
      channel.ask('leaving', null).catch(ignore)
      return server.stop(options)
    },
  }
}

/** Without its primary a worker that does not serve yet has nothing to do. */
const leave = (): void => process.exit(1)

/** One that serves finishes what is in flight: `node:cluster` would end it on the spot, but not one that was told to go. */
function onPrimaryGone(stop: () => void): void {
  cluster.worker!.exitedAfterDisconnect = true
  process.once('disconnect', stop)
}

function answer(
  channel: Channel,
  server: Server,
  reloader: Reloader,
  stop: (how: StopQuestion) => void,
): void {
  const held = new HeldReload(() => reloader.prepare())
  channel.answer({
    prepare: () => held.prepare(),
    async commit() {
      const outcome = await held.commit()
      return { ...outcome, addresses: server.listeners.map(({ url }) => ({ url })) }
    },
    async abandon() {
      await held.abandon()
      return null
    },
    reopen() {
      // Plugins that have log files listen to it.
      process.emit('SIGUSR2', 'SIGUSR2')
      return null
    },
    stop(how) {
      stop(how)
      return how === 'forced' ? null : deadlineOf(server, how)
    },
  })
}

async function stopServer(server: Server, how: StopQuestion): Promise<void> {
  await server.stop({ deadline: deadlineOf(server, how), idle: how === 'replaced' ? IDLE : 0 })
}

/** Milliseconds for what is in flight. One that is replaced has what old generations have at a reload in place. */
function deadlineOf({ generation }: Server, how: StopQuestion): number {
  const { stop, reload } = generation.config
  if (how === 'forced') return 0
  return how === 'replaced' ? reload.oldStreams : stop.deadline
}

const ignore = (): void => undefined
