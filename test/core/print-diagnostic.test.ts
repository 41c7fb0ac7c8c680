import { type Diagnostic, HttpError } from 'rawhttp'
import { expect, onTestFinished, test, vi } from 'vitest'
import { printDiagnostic } from '../../core/print-diagnostic.ts'

function printed(diagnostic: Partial<Diagnostic>, verbose = false): string {
  let text = ''
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(piece => {
    text += piece
    return true
  })
  onTestFinished(() => write.mockRestore())
  printDiagnostic({ code: 'CODE', message: 'it broke', severity: 'error', ...diagnostic }, verbose)
  return text
}

test('a diagnostic is one line on stderr: severity, message, code', () => {
  expect(printed({})).toBe('rawhttp: error: it broke (CODE)\n')
  expect(printed({ severity: 'warning' })).toBe('rawhttp: warning: it broke (CODE)\n')
})

test('a diagnostic names the plugin that speaks and the request that it is about, once', () => {
  const facts = { code: 'LOG', plugin: 'shop', request: 'GET /cart (id-7)' }
  expect(printed(facts)).toBe('rawhttp: error: plugin "shop": it broke; GET /cart (id-7) (LOG)\n')
  expect(printed({ ...facts, message: 'plugin "shop", handle tap "a" failed: GET /cart (id-7)' })).toBe(
    'rawhttp: error: plugin "shop", handle tap "a" failed: GET /cart (id-7) (LOG)\n',
  )
})

test('what is of interest only sometimes shows with verbose', () => {
  expect(printed({ severity: 'info' })).toBe('')
  expect(printed({ severity: 'info' }, true)).toBe('rawhttp: info: it broke (CODE)\n')
})

test('an unforeseen error shows where it came from, one that was foreseen only with verbose', () => {
  const [head, ...frames] = printed({ cause: new Error('why') })
    .trimEnd()
    .split('\n')
  expect(head).toBe('rawhttp: error: it broke (CODE)')
  expect(frames[0]).toMatch(/^ {4}at .*print-diagnostic\.test\.ts:\d+:\d+/)
  const foreseen = { cause: new HttpError(503) }
  expect(printed(foreseen)).toBe('rawhttp: error: it broke (CODE)\n')
  expect(printed(foreseen, true).split('\n').length).toBeGreaterThan(2)
  expect(printed({ cause: 'a string' })).toBe('rawhttp: error: it broke (CODE)\n')
})

test('what a client sent cannot begin a line or move the cursor', () => {
  const message = 'GET /\r\nrawhttp: error: forged\x1b[2J\u2028'
  const cause = new Error('a\n    at forged (evil.ts:1:1)\x1b[2J')
  const lines = printed({ message, cause }).split('\n')
  expect(lines[0]).toBe('rawhttp: error: GET /\\x0d\\x0arawhttp: error: forged\\x1b[2J\\x2028 (CODE)')
  expect(lines.join('')).not.toContain('\x1b')
})
