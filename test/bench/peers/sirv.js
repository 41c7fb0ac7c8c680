import { createServer } from 'node:http'
import sirv from 'sirv'
import { ready, root } from './args.js'

const server = createServer(sirv(root, { etag: true }))
server.listen(0, '127.0.0.1', () => ready('sirv', server.address().port))
