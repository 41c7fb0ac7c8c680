import compress from '@fastify/compress'
import files from '@fastify/static'
import fastify from 'fastify'
import { log, ready, root } from './args.js'

// Files and compression as the two plugins have them by default.
const app = fastify({ logger: log === undefined ? false : { file: log } })
await app.register(compress)
await app.register(files, { root })
await app.listen({ port: 0, host: '127.0.0.1' })
ready('fastify', app.server.address().port)
