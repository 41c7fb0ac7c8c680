import { definePlugin, type Plugins } from 'rawhttp'

/** Notes when `start` and `stop` run. */
export function phases(log: string[], name = 'phases'): Plugins[number] {
  return definePlugin({
    name,
    server({ hooks }) {
      hooks.start.tapPromise('start', async () => void log.push('start'))
      hooks.stop.tapPromise('stop', async (_server, reason) => void log.push(`stop ${reason}`))
    },
  })()
}
