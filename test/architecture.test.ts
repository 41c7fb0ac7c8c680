import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { brokenArrows, type Libraries } from './architecture/rules.ts'

const root = join(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const published = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
const libraries: Libraries = {
  published: new Set(published),
  all: new Set([...published, ...Object.keys(manifest.devDependencies)]),
}

/**
 * The files that a site serves are a browser's, and import what a browser can reach; what makes them reads the sources,
 * and is part of no server.
 */
function readSources(): Map<string, string> {
  const files = globSync('{core,plugins,sites}/**/*.ts', { cwd: root, exclude: ['sites/*/{public,make}/**'] })
  return new Map(files.sort().map(file => [file, readFileSync(join(root, file), 'utf8')]))
}

const faultsOf = (sources: Record<string, string>): string[] =>
  brokenArrows(new Map(Object.entries(sources)), libraries)

test('no import breaks the layout', () => {
  const sources = readSources()
  expect(sources.size).toBeGreaterThan(0)
  expect(brokenArrows(sources, libraries)).toEqual([])
})

describe('the checker allows', () => {
  test.each([
    ['core/cli/version.ts', `createRequire(import.meta.url)('rawhttp/package.json')`],
    ['core/server.ts', `import { connect } from 'node:net'\nimport { SyncHook } from 'tapable'`],
    [
      'core/config/load.ts',
      `import { cosmiconfig } from 'cosmiconfig'\nawait import(pathToFileURL(file).href)`,
    ],
    ['core/config/schema.ts', `import * as v from 'valibot'\nimport { site } from '../site.ts'`],
    ['core/range.ts', `import parse from 'range-parser'`],
    ['core/testing.ts', `export { turns } from './testing/turns.ts'`],
    ['core/testing/a.ts', `import { turns } from './turns.ts'\nimport { Server } from '../server.ts'`],
    ['core/listener.ts', `import type { PeerCertificate } from 'node:tls'`],
    ['core/request.ts', `const schemes = ['http', 'https']`],
    ['plugins/a/index.ts', `import { slot } from 'rawhttp'\nimport { SonicBoom } from 'sonic-boom'`],
    ['plugins/a/deep/file.ts', `import { b } from '../b.ts'\nimport 'node:http2'`],
    [
      'sites/welcome/index.ts',
      `import { staticFiles } from 'rawhttp/plugins/static'\nimport './api/hello.ts'`,
    ],
  ])('%s: %s', (file, source) => {
    expect(faultsOf({ [file]: source })).toEqual([])
  })
})

describe('the checker refuses', () => {
  test.each([
    ['core/a.ts', `import { x } from '../plugins/static/index.ts'`, 'plugins and sites come by name'],
    ['core/a.ts', `import type { X } from '../sites/welcome/index.ts'`, 'plugins and sites come by name'],
    ['core/a.ts', `import { gzip } from 'node:zlib'`, 'belong to plugins'],
    ['core/a.ts', `await import('node:http2')`, 'belong to plugins'],
    ['core/a.ts', `import tls from 'tls'`, 'belong to plugins'],
    ['core/a.ts', `import { x } from 'rawhttp'`, 'core/ may import node:, tapable'],
    ['core/a.ts', `import find from 'find-my-way'`, 'core/ may import node:, tapable'],
    ['core/a.ts', `import 'valibot'`, 'belongs to core/config/ alone'],
    ['core/a.ts', `import { cosmiconfig } from 'cosmiconfig'`, 'belongs to core/config/ alone'],
    ['core/a.ts', `export { default } from 'range-parser'`, 'belongs to core/range.ts alone'],
    ['core/a.ts', `const mime = await import('mime-types')`, 'belongs to core/response.ts alone'],
    ['core/a.ts', `import { RawClient } from './testing.ts'`, 'the test kit knows the kernel'],
    ['core/cli/a.ts', `import { turns } from '../testing/turns.ts'`, 'the test kit knows the kernel'],
    ['core/a.ts', 'await import(name)', 'only core/config/ loads modules by a computed name'],
    ['plugins/a/index.ts', `import { b } from '../b/index.ts'`, "a plugin imports 'rawhttp'"],
    ['plugins/a/index.ts', `import { path } from '../../core/path.ts'`, 'never an inner file'],
    ['plugins/a/index.ts', `type Path = import('../../core/path.ts').Path`, 'never an inner file'],
    ['plugins/a/index.ts', `export * from 'rawhttp/plugins/b'`, 'plugins share by hooks and slots'],
    ['plugins/a/index.ts', `import { test } from 'vitest'`, 'neither dependencies nor peerDependencies'],
    [
      'plugins/a/index.ts',
      `const lib = await import(\`left-pad\`)`,
      'neither dependencies nor peerDependencies',
    ],
    ['plugins/a/index.ts', 'await import(name)', 'a name that is written out can be checked'],
    ['sites/a/index.ts', `import { b } from '../b/index.ts'`, "a site imports 'rawhttp'"],
    ['sites/a/index.ts', `import { x } from '../../core/index.ts'`, "a site imports 'rawhttp'"],
    ['sites/a/index.ts', `import x from 'rawhttp/core/path.ts'`, "a site knows 'rawhttp'"],
    ['sites/a/index.ts', `import pad from 'left-pad'`, 'not a dependency'],
  ])('%s: %s', (file, source, sentence) => {
    expect(faultsOf({ [file]: source })).toEqual([expect.stringContaining(sentence)])
  })

  test.each([
    `import { createServer } from 'node:http'`,
    `import type { IncomingMessage } from 'http'`,
    `export * from 'node:https'`,
    `await import('https')`,
    `import parser from '_http_common'`,
    `require('http')`,
    `process.getBuiltinModule('http')`,
    `process['getBuiltinModule']('https')`,
    `createRequire(import.meta.url)('http')`,
    `const name = 'node:_http_server'`,
  ])('%s', source => {
    for (const file of ['core/a.ts', 'plugins/a/index.ts']) {
      expect(faultsOf({ [file]: source })).toContainEqual(expect.stringContaining('do without node:http'))
    }
  })

  test('value imports that go in a circle, but not type imports', () => {
    const b = `import { c } from './deep/c.ts'`
    expect(
      faultsOf({ 'core/a.ts': `import './b.ts'`, 'core/b.ts': b, 'core/deep/c.ts': `import '../a.ts'` }),
    ).toEqual([
      'core/a.ts -> core/b.ts -> core/deep/c.ts -> core/a.ts: value imports go in a circle; turn one arrow round, or into a type.',
    ])
    expect(
      faultsOf({ 'core/a.ts': `import './b.ts'`, 'core/b.ts': `import type { A } from './a.ts'` }),
    ).toEqual([])
    expect(
      faultsOf({ 'core/a.ts': `import './b.ts'`, 'core/b.ts': `import { type A } from './a.ts'` }),
    ).toHaveLength(1)
  })

  test('a source that does not parse', () => {
    expect(() => faultsOf({ 'core/a.ts': `import from from from` })).toThrow('core/a.ts does not parse')
  })
})
