import { join } from 'node:path'
import { expect, it } from 'vitest'
import { installRawhttp, repository, workspace } from '../config/workspace.ts'
import { launch, launchProgram, rawhttp, ready } from './run-cli.ts'

const source = JSON.stringify(join(repository, 'core/cli/inlining.ts'))

it('V8 knows the flags by which it inlines more', async () => {
  const program = `import { inlineMore } from ${source}; inlineMore()`
  const command = [process.execPath, '--input-type=module', '--eval', program]
  expect(await launchProgram(command).finished).toEqual({ code: 0, stdout: '', stderr: '' })
})

/** Tells each flag that V8 is given, and once that the server has begun. */
const config = `
const v8 = process.getBuiltinModule('node:v8')
const { setFlagsFromString } = v8
v8.setFlagsFromString = flag => {
  process.stderr.write('flag ' + flag + '\\n')
  setFlagsFromString(flag)
}
process.stderr.write('loaded\\n')
export default { listen: [{ port: 0 }] }
`

it('leaves it to whoever has started Node with such a flag', async () => {
  const cwd = workspace({ 'package.json': '{"type":"module"}', 'rawhttp.config.mjs': config })
  installRawhttp(cwd)
  const [node, ...command] = rawhttp
  const running = launchProgram([node!, '--max-inlined-bytecode-size=700', ...command, 'start'], { cwd })
  await ready(running)
  running.child.kill('SIGTERM')
  expect((await running.finished).stderr).not.toContain('flag')
})

it.each([
  ['a server', []],
  ['a worker', ['--workers', '1']],
])('%s has V8 inline more once it listens', async (_, flags) => {
  const cwd = workspace({ 'package.json': '{"type":"module"}', 'rawhttp.config.mjs': config })
  installRawhttp(cwd)
  const running = launch(['start', ...flags], { cwd })
  await ready(running)
  await running.line(/^flag --max-inlined-bytecode-size-cumulative=/)
  running.child.kill('SIGTERM')
  const { code, stderr } = await running.finished
  const told = stderr.split('\n').filter(line => /^(loaded|flag)/.test(line))
  expect([code, told]).toEqual([
    0,
    ['loaded', 'flag --max-inlined-bytecode-size=1500', 'flag --max-inlined-bytecode-size-cumulative=4000'],
  ])
})
