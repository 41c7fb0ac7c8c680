import { Handle, type PluginSite, type Server, Transform } from 'rawhttp'
import { test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { constant, ready, requestTo, Void } from './support.ts'

/** Taps that do nothing, on each hook of a request. */
const idle = (name: string) =>
  onSite(name, (site: PluginSite) => {
    site.hooks.handle.tap({ name, stage: Handle.Guard }, () => undefined)
    site.hooks.transform.tap({ name, stage: Transform.Encode }, () => undefined)
    site.hooks.deliver.tap(name, () => undefined)
    site.hooks.done.tap(name, () => undefined)
  })

const waiting = onSite('waiting', site =>
  site.hooks.handle.tapPromise({ name: 'waiting', stage: Handle.Guard }, async () => undefined),
)

const once = (server: Server) => () => server.dispatch(requestTo('/'), new Void())

test('the line from request to done', async ({ bench }) => {
  const bare = await ready({ plugins: [constant()] })
  const untapped = await ready({ plugins: [onSite('untapped', () => undefined), constant()] })
  const one = await ready({ plugins: [idle('a'), constant()] })
  const five = await ready({ plugins: [...['a', 'b', 'c', 'd', 'e'].map(idle), constant()] })
  const promise = await ready({ plugins: [waiting, constant()] })
  await bench.compare(
    bench('a constant, nothing else', once(bare)),
    bench('with a plugin that taps nothing', once(untapped)),
    bench('one tap on each of four hooks', once(one)),
    bench('five taps on each', once(five)),
    bench('a tap that gives a promise', once(promise)),
  )
})
