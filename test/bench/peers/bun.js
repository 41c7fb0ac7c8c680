import { join } from 'node:path'
import { ready, root } from './args.js'

// Bun reads a file of a known path itself; which ones there are is said by name, so that no path leads out of the folder.
const files = ['/1kb.html', '/50kb.js', '/10mb.bin']
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  routes: {
    ...Object.fromEntries(files.map(path => [path, () => new Response(Bun.file(join(root, path)))])),
    '/api/hello/:name': request => Response.json({ hello: request.params.name }),
    '/bench/orders': {
      POST: async request => {
        const { items } = await request.json()
        return Response.json({ received: items.length })
      },
    },
  },
})
ready('bun', server.port)
