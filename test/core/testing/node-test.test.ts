import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { caseIds } from '../../../core/testing/case.ts'

test('the contract runs in the test runner of Node too, which goes on telling its results', async () => {
  const child = join(import.meta.dirname, 'node-test-child.ts')
  const args = ['--conditions=rawhttp-source', '--test', '--test-reporter=tap', child]
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
  const failed = await promisify(execFile)(process.execPath, args, { env, timeout: 25_000 }).then(
    () => ({ stdout: 'nothing has failed' }),
    error => error,
  )
  expect(failed.stdout).toMatch(/not ok \d+ - loud/)
  expect(failed.stdout).toContain('it wrote "here I am"')
  expect(failed.stdout).toContain(`# pass ${caseIds.length - 1}\n# fail 1`)
})
