import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { findTool } from '../../support/tools.ts'
import { startProcess } from '../process.ts'
import type { Contestant } from './contestant.ts'

const peers = join(import.meta.dirname, '../peers')

/**
 * A server of peers/ and the package that it shows.
 *
 * @param share The part of the requests that it gets: those that take several times as long need fewer to be as sure.
 */
function peer(name: string, file: string, library: string, share = 1, log?: string): Contestant {
  return {
    name,
    log,
    share,
    missing: () => (existsSync(join(peers, 'node_modules', library)) ? null : notInstalled(library)),
    start: ({ files, folder }) => {
      const options = ['--root', files, ...(log === undefined ? [] : ['--log', join(folder, log)])]
      return startProcess({ command: [process.execPath, join(peers, file), ...options] })
    },
  }
}

const notInstalled = (library: string): string =>
  `${library} is not installed: "npm run bench:peers" installs it.`

export const fastify = peer('fastify, no logger', 'fastify.js', 'fastify')
export const fastifyWithPino = peer('fastify, pino to a file', 'fastify.js', 'pino', 1, 'access.log')
export const fastifyStatic = peer(
  '@fastify/static, compress, logger',
  'fastify-static.js',
  '@fastify/static',
  0.2,
  'access.log',
)
export const sirv = peer('sirv on node:http', 'sirv.js', 'sirv', 0.2)
export const express = peer('express', 'express.js', 'express', 0.2)
export const hono = peer('hono on node-server', 'hono.js', '@hono/node-server', 0.1)

/** The bun of the PATH, or that of the package, whose own launcher only works after an install script. */
const findBun = (): string | undefined =>
  findTool('bun') ?? globSync(join(peers, 'node_modules/@oven/bun-*/bin/bun'))[0]

export const bun: Contestant = {
  name: 'bun',
  missing: () => (findBun() === undefined ? notInstalled('bun') : null),
  start: ({ files }) => startProcess({ command: [findBun()!, join(peers, 'bun.js'), '--root', files] }),
}
