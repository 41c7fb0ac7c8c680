import fastify from 'fastify'
import { log, ready } from './args.js'

// Routes only, without a logger or with pino to a file.
const app = fastify({ logger: log === undefined ? false : { file: log } })
app.get('/api/hello/:name', (request, reply) => {
  reply.send({ hello: request.params.name })
})
app.post('/bench/orders', (request, reply) => {
  reply.send({ received: request.body.items.length })
})
await app.listen({ port: 0, host: '127.0.0.1' })
ready('fastify', app.server.address().port)
