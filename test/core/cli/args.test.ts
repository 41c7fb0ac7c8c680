import { describe, expect, it } from 'vitest'
import { parse } from '../../../core/cli/args.ts'

describe('a command line', () => {
  it('is a command, a folder and flags in any order', () => {
    const { command, folder, flags } = parse(['-p', '3000', 'start', '--verbose', 'public', '--host=::'])
    expect([command, folder]).toEqual(['start', 'public'])
    expect([...flags]).toEqual([
      ['port', '3000'],
      ['verbose', ''],
      ['host', '::'],
    ])
  })

  it('may have no command', () => {
    expect(parse([])).toEqual({
      command: null,
      words: [],
      folder: undefined,
      flags: new Map(),
      every: new Map(),
    })
  })

  it('takes the last of a flag that stands twice', () => {
    expect(parse(['start', '-p', '1', '--port', '2']).flags.get('port')).toBe('2')
  })

  it('gives every value of a flag that stands more than once', () => {
    const { every } = parse(['explain', 'GET', '/', '-H', 'a: 1', '--header=b: 2'])
    expect([...every]).toEqual([['header', ['a: 1', 'b: 2']]])
  })

  it('has the words that its command wants before the folder', () => {
    expect(parse(['explain', 'GET', '/', 'site'])).toMatchObject({ words: ['GET', '/'], folder: 'site' })
    expect(parse(['explain', '--help'])).toMatchObject({ words: [], folder: undefined })
  })

  it.each([
    ['strat', "unknown command 'strat'; did you mean 'start'?"],
    ['serve', "unknown command 'serve'; rawhttp --help lists the commands"],
    ['toString', "unknown command 'toString'; rawhttp --help lists the commands"],
    ['start --prot 80', "unknown flag --prot; did you mean '--port'?"],
    ['start -x', 'unknown flag -x; rawhttp --help lists the flags'],
    ['start --toString', 'unknown flag --toString; rawhttp --help lists the flags'],
    ['start --port', '--port needs a value: --port N'],
    ['start --port=', '--port needs a value: --port N'],
    ['start -p --verbose', '-p needs a value: -p N'],
    ['start --verbose=1', "--verbose takes no value, got '1'"],
    ['start a b', 'expected one folder, got a b'],
    ['check --port 80', 'rawhttp check has no flag --port'],
    ['--port 80', '--port needs a command: rawhttp start --port …'],
  ])('%s is refused', (line, sentence) => {
    expect(() => parse(line.split(' '))).toThrow(sentence)
  })
})
