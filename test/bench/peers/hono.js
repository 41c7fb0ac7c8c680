import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { ready, root } from './args.js'

const app = new Hono()
app.get('/api/hello/:name', context => context.json({ hello: context.req.param('name') }))
app.post('/bench/orders', async context => {
  const { items } = await context.req.json()
  return context.json({ received: items.length })
})
app.use('*', serveStatic({ root }))
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => ready('hono', port))
