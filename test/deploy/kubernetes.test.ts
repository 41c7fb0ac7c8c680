import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import type { ConfigMap, Service } from 'kubernetes-types/core/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { findTool, needTool } from '../support/tools.ts'

const project = join(import.meta.dirname, '../..')
const executeFile = promisify(execFile)

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
}

/** What `kubectl apply --kustomize` would send to a cluster. */
async function manifests(): Promise<Manifest[]> {
  const kubectl = needTool('kubectl', 'kubernetes-client')
  const { stdout } = await executeFile(kubectl, ['kustomize', join(project, 'deploy/kubernetes')])
  return parseAllDocuments(stdout).map(document => document.toJS())
}

/**
 * What the schemas have against manifests, offline: the types are made from Kubernetes' OpenAPI description, and an
 * object that is written out has to fit its type in all its fields and in no other.
 */
async function complaints(...list: readonly Manifest[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rawhttp-manifests-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'))
  const lines = list.map((manifest, index) => {
    const { apiVersion, kind } = manifest
    const group = apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`
    return `export const manifest${index}: import('kubernetes-types/${group}').${kind} = ${JSON.stringify(manifest, null, 2)}`
  })
  const file = join(folder, 'manifests.ts')
  await writeFile(file, lines.join('\n'))
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'esnext',
    '--moduleResolution',
    'bundler',
    '--types',
    '',
  ]
  const tsc = join(project, 'node_modules/.bin/tsc')
  return executeFile(tsc, [...options, file], { cwd: folder }).then(
    () => '',
    ({ stdout }) => stdout,
  )
}

describe('the manifests', () => {
  let all: Manifest[]
  const ofKind = <T>(kind: string): T => all.find(each => each.kind === kind) as T
  beforeAll(async () => {
    if (findTool('kubectl') !== undefined) all = await manifests()
  })

  test('fit the schemas of Kubernetes', async () => {
    needTool('kubectl', 'kubernetes-client')
    expect(all.map(({ kind }) => kind).sort()).toEqual([
      'ConfigMap',
      'Deployment',
      'HorizontalPodAutoscaler',
      'PodDisruptionBudget',
      'Service',
    ])
    expect(await complaints(...all)).toBe('')
  })

  test.each([
    ['a field that is not one', /readinesProbe/, 'readinessProbe', 'readinesProbe'],
    ['a value of another type', /not assignable/, '"maxSurge":1', '"maxSurge":true'],
    [
      'a field that is missing',
      /selector/,
      '"selector":{"matchLabels":{"app.kubernetes.io/name":"rawhttp"}},"s',
      '"s',
    ],
  ])('would be refused with %s', async (_, sentence, right, wrong) => {
    needTool('kubectl', 'kubernetes-client')
    const text = JSON.stringify(ofKind('Deployment'))
    expect(text).toContain(right)
    expect(await complaints(JSON.parse(text.replace(right, wrong)))).toMatch(sentence)
  })

  test('belong together: labels, names, ports, the config', () => {
    needTool('kubectl', 'kubernetes-client')
    const { spec } = ofKind<Deployment>('Deployment')
    const pod = spec!.template.spec!
    const labels = spec!.template.metadata!.labels
    const [container] = pod.containers
    expect(spec!.selector.matchLabels).toEqual(labels)
    const { ports, selector } = ofKind<Service>('Service').spec!
    expect(selector).toEqual(labels)
    expect(container!.ports!.map(({ name }) => name)).toContain(ports![0]!.targetPort)
    expect(ofKind<PodDisruptionBudget>('PodDisruptionBudget').spec!.selector!.matchLabels).toEqual(labels)
    expect(ofKind<HorizontalPodAutoscaler>('HorizontalPodAutoscaler').spec!.scaleTargetRef.name).toBe(
      'rawhttp',
    )
    const { metadata, data } = ofKind<ConfigMap>('ConfigMap')
    expect(pod.volumes![0]!.configMap!.name).toBe(metadata!.name)
    const file = container!.args!.at(-1)!
    expect(file).toBe(`${container!.volumeMounts![0]!.mountPath}/${Object.keys(data!)[0]}`)
  })

  test('leave time for the drain: preStop and 10 s, then the end', () => {
    needTool('kubectl', 'kubernetes-client')
    const pod = ofKind<Deployment>('Deployment').spec!.template.spec!
    const { sleep } = pod.containers[0]!.lifecycle!.preStop!
    expect(sleep!.seconds).toBeGreaterThan(0)
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(sleep!.seconds + 10)
  })

  test('run without rights, by the user of the image, the root read-only', async () => {
    needTool('kubectl', 'kubernetes-client')
    const pod = ofKind<Deployment>('Deployment').spec!.template.spec!
    const { runAsNonRoot, runAsUser, runAsGroup, seccompProfile } = pod.securityContext!
    const dockerfile = await readFile(join(project, 'Dockerfile'), 'utf8')
    expect(dockerfile).toContain(`\nUSER ${runAsUser}:${runAsGroup}\n`)
    expect([runAsNonRoot, seccompProfile!.type]).toEqual([true, 'RuntimeDefault'])
    expect(pod.containers[0]!.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(pod.automountServiceAccountToken).toBe(false)
  })

  test('have a config of plugins that there are', async () => {
    const text = await readFile(join(project, 'deploy/kubernetes/rawhttp.config.json'), 'utf8')
    const { exports } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
    for (const entry of JSON.parse(text).plugins) {
      expect(Object.keys(exports)).toContain(`./plugins/${[entry].flat()[0]}`)
    }
  })
})
