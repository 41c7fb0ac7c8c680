import { definePlugin, Handle, HttpResponse, Slots } from 'rawhttp'
import { expect, test } from 'vitest'
import { logTo } from '../../core/log.ts'
import { serve } from '../support/in-memory.ts'

test('a message is a diagnostic of its level', () => {
  const reported: unknown[] = []
  const log = logTo(diagnostic => void reported.push(diagnostic))
  const cause = new Error('why')
  log.info('a')
  log.warn('b', cause)
  log.error('c')
  expect(reported).toEqual([
    { code: 'LOG', message: 'a', severity: 'info' },
    { code: 'LOG', message: 'b', severity: 'warning', cause },
    { code: 'LOG', message: 'c', severity: 'error' },
  ])
})

test('of a request it carries plugin, hook and tap that speak, and the id of the request', async () => {
  const plugin = (name: string, stage: number) =>
    definePlugin({
      name,
      site({ hooks }) {
        hooks.handle.tapPromise({ name: `${name}:handle`, stage }, async request => {
          request.set(Slots.requestId, 'id-7')
          await Promise.resolve()
          request.log.info('handled')
          return stage === Handle.Route ? HttpResponse.text('a') : undefined
        })
        hooks.deliver.tap(`${name}:deliver`, (_response, request) => request.log.warn('delivered'))
        hooks.done.tap(`${name}:done`, request => request.log.error('done'))
      },
    })()
  const { ask, reports } = await serve([plugin('one', Handle.Guard), plugin('two', Handle.Route)])
  await ask('/a?b')
  const facts = { code: 'LOG', site: 'default', request: 'GET /a?b (id-7)' }
  expect(reports).toEqual(
    [
      ['one', 'handle', 'handled', 'info'],
      ['two', 'handle', 'handled', 'info'],
      ['one', 'deliver', 'delivered', 'warning'],
      ['two', 'deliver', 'delivered', 'warning'],
      ['one', 'done', 'done', 'error'],
      ['two', 'done', 'done', 'error'],
    ].map(([name, hook, message, severity]) => ({
      ...facts,
      plugin: name,
      hook,
      tap: `${name}:${hook}`,
      message,
      severity,
    })),
  )
})
