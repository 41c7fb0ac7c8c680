import { nginx, nginxGzip, nginxGzipStatic, nginxSilent, nginxTls } from './contestants/nginx.ts'
import { floor, nodeHttp, nodeHttps, nodeTls } from './contestants/node.ts'
import { bun, express, fastify, fastifyStatic, fastifyWithPino, hono, sirv } from './contestants/npm.ts'
import { caddy, caddyGzip, h2o, h2oGzip, h2oTls } from './contestants/others.ts'
import { handshakeRow } from './handshake-row.ts'
import { idleRow } from './idle-row.ts'
import { loadRow } from './load-row.ts'
import type { Row } from './rows.ts'
import { startRow } from './start-row.ts'

const gzip = 'accept-encoding: gzip'
const megabytes = { name: 'MB', count: 10 }

/** All rows, with what rawhttp is to take at most. */
export const rows: readonly Row[] = [
  loadRow({
    id: 'static',
    title: '1 kB static file',
    path: '/1kb.html',
    peers: [floor, nodeHttp, nginx, nginxSilent, h2o, caddy, bun, fastifyStatic, sirv, express, hono],
    targets: [
      { against: floor.name, factor: 1.2 },
      { against: nodeHttp.name, factor: 0.95 },
      { against: nginx.name, factor: 1.1 },
      { against: fastifyStatic.name, factor: 0.12 },
      { against: sirv.name, factor: 0.12 },
    ],
  }),
  loadRow({
    id: 'pipelined',
    title: '1 kB static file, 16 requests pipelined',
    path: '/1kb.html',
    pipelined: 16,
    share: 4,
    peers: [floor, nodeHttp, nginx, h2o, bun],
    targets: [
      { against: nodeHttp.name, factor: 0.3 },
      { against: nginx.name, factor: 0.5 },
    ],
  }),
  loadRow({
    id: 'json',
    title: 'JSON route with one parameter',
    path: '/api/hello/bench',
    text: '{"hello":"bench"}',
    peers: [floor, nodeHttp, fastify, fastifyWithPino, bun, hono, express],
    targets: [
      { against: fastify.name, factor: 0.88 },
      { against: fastifyWithPino.name, factor: 0.75 },
    ],
  }),
  loadRow({
    id: 'script',
    title: '50 kB script, gzip accepted',
    path: '/50kb.js',
    headers: [gzip],
    coding: 'gzip',
    also: [{ name: 'rawhttp, uncompressed', headers: [] }],
    peers: [floor, nginxGzip, nginxGzipStatic, h2oGzip, caddyGzip, { ...fastifyStatic, share: 0.025 }],
    targets: [
      { against: nginxGzip.name, factor: 0.05 },
      { against: 'rawhttp, uncompressed', factor: 1.5 },
    ],
  }),
  loadRow({
    id: 'revalidation',
    title: '304 to If-None-Match, 1 kB file',
    path: '/1kb.html',
    revalidates: true,
    peers: [floor, nginx, h2o, caddy, fastifyStatic, sirv, express],
    targets: [{ against: floor.name, factor: 1.15 }],
  }),
  loadRow({
    id: 'large-file',
    title: '10 MB file from disk, 4 connections',
    path: '/10mb.bin',
    connections: 4,
    share: 0.005,
    per: megabytes,
    peers: [floor, nginx, h2o, caddy, bun, sirv],
    targets: [{ against: nginx.name, factor: 1.1 }],
  }),
  loadRow({
    id: 'large-memory',
    title: '10 MB from memory, 4 connections',
    path: '/bench/blob',
    text: 'x'.repeat(10_000_000),
    config: 'routes',
    connections: 4,
    share: 0.005,
    per: megabytes,
    peers: [floor, { ...nginx, path: '/10mb.bin' }],
    targets: [{ against: nginx.name, factor: 0.7 }],
  }),
  loadRow({
    id: 'tls',
    title: '1 kB static file over TLS 1.3, keep-alive',
    path: '/1kb.html',
    config: 'tls',
    peers: [nodeTls, nodeHttps, nginxTls, h2oTls],
    targets: [
      { against: nodeHttps.name, factor: 0.75 },
      { against: nginxTls.name, factor: 1.2 },
      { against: nodeTls.name, factor: 1.15 },
    ],
  }),
  handshakeRow('resumed', [nodeTls, nodeHttps, nginxTls], [{ against: nodeHttps.name, factor: 1.1 }]),
  handshakeRow('whole', [nodeTls, nodeHttps, nginxTls], [{ against: nodeHttps.name, factor: 1.1 }]),
  loadRow({
    id: 'upload',
    title: '1 kB of JSON to a route',
    path: '/bench/orders',
    text: '{"received":12}',
    uploads: true,
    config: 'routes',
    peers: [floor, fastify, fastifyWithPino, bun, hono, express],
    targets: [{ against: fastify.name, factor: 0.85 }],
  }),
  idleRow([floor, nodeHttp, nginx], [{ against: nodeHttp.name, factor: 0.4 }]),
  startRow([{ against: "node -e ''", factor: 1.5, plus: 120 }]),
]
