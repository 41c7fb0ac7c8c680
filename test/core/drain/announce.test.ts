import { Connect, definePlugin, HttpResponse, type PluginServer, type Plugins } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onServer, serve } from '../../support/in-memory.ts'
import { layer } from '../../support/layers.ts'
import { get } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { turns } from '../../support/turns.ts'

const path = answering(({ path: asked }) => HttpResponse.text(asked))

/** A drain tap that waits for a gate. */
function gatedDrain(name = 'gated') {
  const gate = Promise.withResolvers<void>()
  const began = Promise.withResolvers<PluginServer>()
  const plugin: Plugins[number] = onServer(name, ({ hooks }) =>
    hooks.drain.tapPromise(`${name}:wait`, async server => {
      began.resolve(server)
      await gate.promise
    }),
  )
  return { plugin, open: () => gate.resolve(), began: began.promise }
}

describe('drain', () => {
  test('runs while the server still serves as before, and the ports close behind it', async () => {
    const { plugin, open, began } = gatedDrain()
    await using served = await startServer({ plugins: [plugin, path] })
    await using old = await RawClient.connect(served.port)
    const stopped = served.server.stop()
    await began
    await using fresh = await RawClient.connect(served.port)
    for (const client of [old, fresh]) {
      client.send(get('/still'))
      const response = await client.response()
      expect([response.body.toString(), response.field('connection')]).toEqual(['/still', undefined])
    }
    open()
    await Promise.all([old.closed, fresh.closed])
    await expect(RawClient.connect(served.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    old.end()
    fresh.end()
    await stopped
    expect(served.reports).toEqual([])
  })

  test('runs all taps at once', async () => {
    const [one, two] = [gatedDrain('one'), gatedDrain('two')]
    await using served = await startServer({ plugins: [one.plugin, two.plugin] })
    const stopped = served.server.stop()
    await Promise.all([one.began, two.began])
    one.open()
    two.open()
    await stopped
  })

  test('gives each tap the server as its own plugin sees it', async () => {
    let own: PluginServer | undefined
    const { plugin, open, began } = gatedDrain()
    const other = definePlugin({
      name: 'other',
      server(server) {
        own = server
        server.hooks.drain.tap('other', given => void expect(given).toBe(server))
      },
    })
    await using served = await startServer({ plugins: [other(), plugin] })
    const stopped = served.server.stop()
    expect(await began).not.toBe(own)
    open()
    await stopped
    expect(served.reports).toEqual([])
  })

  test('counts against the deadline, and who took too long is named', async () => {
    const { plugin } = gatedDrain()
    await using served = await startServer({ plugins: [plugin] })
    await served.server.stop({ deadline: 20 })
    expect(served.reports).toMatchObject([
      {
        code: 'DRAIN_LATE',
        severity: 'warning',
        message:
          'plugin "gated", drain tap "gated:wait" took longer than the stop may; the server goes on without',
      },
    ])
  })

  test('is cut short by a second stop that gives no time', async () => {
    const { plugin, began } = gatedDrain()
    await using served = await startServer({ plugins: [plugin] })
    const patient = served.server.stop({ deadline: 1_000_000 })
    await began
    await served.server.stop({ deadline: 0 })
    await patient
    expect(served.reports).toEqual([])
  })

  test('leaves the rest of the time to what is in flight', async () => {
    const { plugin, open, began } = gatedDrain()
    const gate = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const slow = answering(async () => {
      arrived.resolve()
      await gate.promise
      return HttpResponse.text('late')
    })
    await using served = await startServer({ plugins: [plugin, slow] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await arrived.promise
    const stopped = served.server.stop({ deadline: 1_000_000 })
    await began
    open()
    await turns()
    gate.resolve()
    expect((await client.response()).body.toString()).toBe('late')
    client.end()
    await stopped
  })

  test('tells those who own connections how much time is left', async () => {
    const { plugin, open, began } = gatedDrain()
    const told = Promise.withResolvers<number>()
    const owns = layer('owns', Connect.Protocol, stream => ({
      name: 'owns',
      drain: deadline => told.resolve(deadline),
      destroy: () => void stream.destroy(),
    }))
    await using served = await startServer({ plugins: [plugin, owns] })
    await using client = await RawClient.connect(served.port)
    while (served.server.stats.connections === 0) await turns(1)
    const stopped = served.server.stop({ deadline: 1_000_000 })
    await began
    open()
    expect(await told.promise).toBeGreaterThan(900_000)
    client.reset()
    await stopped
  })

  test('that fails is reported, and the server stops all the same', async () => {
    const boom = onServer('boom', ({ hooks }) =>
      hooks.drain.tapPromise('boom', async () => {
        throw new Error('no')
      }),
    )
    await using served = await startServer({ plugins: [boom] })
    await served.server.stop()
    expect(served.reports).toMatchObject([{ code: 'TAP_FAILED', plugin: 'boom', hook: 'drain' }])
  })

  test('does not run where nobody listens', async () => {
    let ran = 0
    const counts = onServer('counts', ({ hooks }) => hooks.drain.tap('counts', () => void ran++))
    const { server, ask } = await serve([counts])
    await ask()
    await server.stop()
    expect(ran).toBe(0)
  })

  test('does not run where others go on serving the address', async () => {
    const { plugin } = gatedDrain()
    await using served = await startServer({ plugins: [plugin] })
    await served.server.stop({ deadline: 20, idle: 1 })
    expect(served.reports).toEqual([])
  })

  test('lets a reload come through, and runs in the generation that was in charge', async () => {
    const { plugin, open, began } = gatedDrain()
    await using served = await startServer({ plugins: [plugin, path] })
    const stopped = served.server.stop()
    await began
    await served.server.reload({ listen: [{ port: 0 }], plugins: [path] })
    open()
    await stopped
    await expect(RawClient.connect(served.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
