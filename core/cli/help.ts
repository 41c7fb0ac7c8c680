import { type Command, type CommandName, commands, type Flag, type FlagName, flags } from './commands.ts'

/** The help of one command, or the short one. */
export function helpText(name: CommandName | null): string {
  return name === null ? shortHelp() : commandHelp(commands[name])
}

function shortHelp(): string {
  const list = Object.entries(commands).map(([name, { text }]) => `  ${name.padEnd(9)}${text}`)
  return [
    'rawhttp: an HTTP server for Node',
    '',
    'Usage: rawhttp <command> [flags]',
    '',
    ...list,
    '',
    '  rawhttp <command> --help   the flags of a command',
    '  rawhttp --version          the version',
    '',
  ].join('\n')
}

function commandHelp({ usage, text, flags: names, examples }: Command): string {
  const lines = [...names, 'help' as const].map(flagLine)
  const shown = examples.map(example => `  ${example}`)
  return [text, '', `Usage: ${usage}`, '', ...lines, '', 'Examples:', ...shown, ''].join('\n')
}

function flagLine(name: FlagName): string {
  const { short, value, text }: Flag = flags[name]
  const left = `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`
  return `  ${left.padEnd(20)}${text}`
}
