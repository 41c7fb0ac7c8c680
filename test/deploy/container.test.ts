import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { needTool } from '../support/tools.ts'
import { type Built, build } from './container/build.ts'
import { last, readDockerfile, words } from './container/dockerfile.ts'
import { type Container, canIsolate, needIsolation, start } from './container/run.ts'

// What the Dockerfile makes and how it runs, where no engine is: its own commands build the tree, and namespaces make
// the container.

const project = join(import.meta.dirname, '../..')
const slow = 180_000

describe('the image', () => {
  let folder: string
  let built: Built
  let container: Container

  beforeAll(async () => {
    if (!canIsolate()) return
    folder = await mkdtemp(join(tmpdir(), 'rawhttp-image-'))
    built = await build(project, folder)
    container = await start(built)
  }, slow)
  beforeEach(needIsolation)
  afterAll(async () => {
    await container?.[Symbol.asyncDispose]()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }, slow)

  test('serves with its root read-only, by a user without rights', async () => {
    const curl = needTool('curl', 'curl')
    const { stdout } = await container.nearby([curl, '--silent', '--include', 'http://127.0.0.1:8080/'])
    expect(stdout).toMatch(/^HTTP\/1\.1 200 /)
    const status = await container.exec([
      '/nodejs/bin/node',
      '-p',
      "fs.readFileSync('/proc/1/status', 'utf8')",
    ])
    expect(status.stdout).toMatch(/^Uid:\s+65532\s+65532/m)
    expect(status.stdout).toMatch(/^CapEff:\s+0+$/m)
    expect(status.stdout).toMatch(/^CapBnd:\s+0+$/m)
    expect(status.stdout).toMatch(/^NoNewPrivs:\s+1$/m)
    const mounts = await container.exec([
      '/nodejs/bin/node',
      '-p',
      "fs.readFileSync('/proc/1/mounts', 'utf8')",
    ])
    expect(mounts.stdout).toMatch(/^\S+ \/ \S+ ro,/m)
    const write = await container.exec(['/nodejs/bin/node', '-e', "fs.writeFileSync('/srv/x', '')"])
    expect(write.stderr).toMatch(/EROFS|EACCES/)
  })

  test('has a health check that passes while the server answers, and fails when none is there', async () => {
    const command = words(last(built.stage, 'HEALTHCHECK'))
    expect(await container.exec(command)).toEqual({ code: 0, stdout: '', stderr: '' })
    // A port that nobody listens on is a server that is gone.
    const elsewhere = command.map(word => word.replace(':8080', ':8081'))
    expect((await container.exec(elsewhere)).code).toBe(1)
  })

  test('checks a config that imports rawhttp', async () => {
    const [node, command] = words(last(built.stage, 'ENTRYPOINT'))
    const { stdout } = await container.exec([node!, command!, 'check'])
    expect(stdout).toMatch(/^config {2}\/srv\/rawhttp\.config\.ts\n.*\nok\n$/s)
  })

  test('holds what runs, and nothing that only built it', async () => {
    const { stdout } = await promisify(execFile)('du', ['--summarize', '--bytes', 'node_modules', 'srv'], {
      cwd: built.root,
    })
    const bytes = stdout.split('\n').reduce((sum, line) => sum + Number(line.split('\t')[0]), 0)
    console.log(`  on top of its base the image has ${(bytes / 1e6).toFixed(1)} MB`)
    expect(bytes).toBeLessThan(25e6)
    const { stdout: names } = await promisify(execFile)('ls', ['node_modules'], { cwd: built.root })
    expect(names).not.toMatch(/^(typescript|vitest|node|@biomejs)$/m)
  })

  test('runs as the pod of the manifests says, with its config, and answers its probes', {
    timeout: slow,
  }, async () => {
    const kubernetes = join(project, 'deploy/kubernetes')
    const deployment: Deployment = parse(await readFile(join(kubernetes, 'deployment.yaml'), 'utf8'))
    const pod = deployment.spec!.template.spec!.containers[0]!
    await mkdir(join(built.root, 'srv/public'), { recursive: true })
    const mount = [kubernetes, pod.volumeMounts![0]!.mountPath] as const
    await using started = await start(built, { args: pod.args!, mount })
    const curl = needTool('curl', 'curl')
    for (const { httpGet } of [pod.startupProbe!, pod.livenessProbe!, pod.readinessProbe!]) {
      const { containerPort } = pod.ports!.find(({ name }) => name === httpGet!.port)!
      const answer = await started.nearby([
        curl,
        '--silent',
        `http://127.0.0.1:${containerPort}${httpGet!.path}`,
      ])
      expect(answer.stdout).toBe('ok\n')
    }
  })

  test('ends with 0 at SIGTERM, as process 1', async () => {
    const { code, stdout } = await container.stop()
    expect(code).toBe(0)
    expect(stdout).toContain('"GET / HTTP/1.1" 200')
  })
})

test('the Dockerfile says a user by number, exec forms, and a stage that has no shell', async () => {
  const stages = readDockerfile(await readFile(join(project, 'Dockerfile'), 'utf8'))
  const final = stages.at(-1)!
  expect(final.image).toMatch(/^gcr\.io\/distroless\/.*:nonroot/)
  expect(last(final, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  for (const name of ['ENTRYPOINT', 'CMD', 'HEALTHCHECK']) expect(words(last(final, name))).not.toEqual([])
  expect(final.instructions.some(({ name }) => name === 'RUN')).toBe(false)
  for (const { image } of stages) expect(image).toMatch(/:[\w.-]+(@sha256:[0-9a-f]{64})?$/)
})
