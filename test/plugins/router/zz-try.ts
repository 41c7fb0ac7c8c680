import { createServer } from 'rawhttp'
import { router, route } from 'rawhttp/plugins/router'
import { accessLog } from 'rawhttp/plugins/access-log'
const server = await createServer({ plugins: [accessLog({ format: 'combined' })], sites: [{ name: 'x', plugins: [
  router('/api', { 'GET /hello/:name': ({ params }) => ({ hello: params.name }), 'GET /': () => 'root', 'POST /x': () => null }),
  router({ 'GET /files/*': ({ params }) => params['*'] }),
] }] })
for (const url of ['/api/hello/J%C3%BCrgen%2Fx', '/api', '/api/', '/api/nope', '/api/x', '/files/a/..%2Fb', '/files/a%20b', '/api/hello/%FF', '/nope']) {
  const r = await server.inject({ url, headers: { 'user-agent': 'x"\\\u0080' } })
  console.error(url, r.status, [...r.headers].join(' | '), r.text())
}
const o = await server.inject({ url: '/api/x', method: 'OPTIONS' })
console.error(o.status, [...o.headers])
await server.stop()
