import { type Command, commands, type Flag, flags } from '../../../core/cli/commands.ts'

/** The page about the command line, made of the tables that `rawhttp --help` is made of. */
export function commandLinePage(): string {
  const sections = Object.entries(commands as Readonly<Record<string, Command>>).map(commandSection)
  const exits = exitCodes.map(([code, meaning]) => `| ${code} | ${meaning} |`)
  return `# Command line

A flag wins over its environment variable, that over the config file. Relative paths of a config count from its folder.

${sections.join('\n')}
Every command takes \`--help\` too; \`rawhttp --version\` says the version.

## Exit codes

| code | means |
|---|---|
${exits.join('\n')}
`
}

const exitCodes = [
  ['0', 'done, or stopped by SIGTERM or Ctrl+C with all requests answered'],
  ['1', 'failed while it ran'],
  ['2', 'the command line is wrong'],
  ['78', 'the config is wrong: starting again does not help'],
]

function commandSection([name, command]: readonly [string, Command]): string {
  const rows = command.flags.map(flag => flagRow(flag, flags[flag]))
  return `## rawhttp ${name}

${command.text}

\`\`\`sh
${command.examples.join('\n')}
\`\`\`

| flag | means | environment |
|---|---|---|
${rows.join('\n')}
`
}

/** The variable stands in brackets at the end of the flag's text, as in the help. */
function flagRow(name: string, { short, value, text }: Flag): string {
  const written = `--${name}${value === undefined ? '' : ` ${value}`}`
  const [, meaning, variable] = /^(.*?)(?: \((\w+)\))?$/.exec(text) ?? []
  const both = short === undefined ? `\`${written}\`` : `\`${written}\`, \`-${short}\``
  return `| ${both} | ${meaning} | ${variable === undefined ? '' : `\`${variable}\``} |`
}
