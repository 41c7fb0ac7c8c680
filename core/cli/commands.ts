/** A flag as the command line has it. */
export interface Flag {
  readonly short?: string
  /** What its value is called in the help; a flag without one takes no value. */
  readonly value?: string
  readonly text: string
}

/** A command: what its help says, and which flags it takes. */
export interface Command {
  readonly usage: string
  readonly text: string
  /** What has to stand behind it, before a folder. */
  readonly words?: readonly string[]
  /** Whether a folder may stand behind it. */
  readonly takesFolder: boolean
  readonly flags: readonly FlagName[]
  readonly examples: readonly string[]
}

export const flags = {
  config: { short: 'c', value: 'FILE', text: 'The config file; nothing is searched. (RAWHTTP_CONFIG)' },
  port: { short: 'p', value: 'N', text: 'Port of the first listener; 0 picks a free one. (PORT)' },
  host: { value: 'ADDR', text: 'Address of the first listener; 0.0.0.0 opens it to the network. (HOST)' },
  mode: {
    value: 'MODE',
    text: 'What a config function is given; else NODE_ENV, else production. (RAWHTTP_MODE)',
  },
  watch: {
    text: 'Reload when the config or a module of it changes; the mode is development.',
  },
  workers: {
    value: 'N',
    text: 'Serve with N processes, or auto: as many as there are cores. (RAWHTTP_WORKERS)',
  },
  rolling: {
    text: 'Each reload puts fresh workers in the place of the old ones.',
  },
  header: {
    short: 'H',
    value: 'FIELD',
    text: "A field of the request: 'name: value'. May stand more than once.",
  },
  data: { short: 'd', value: 'BODY', text: 'The body of the request.' },
  times: { value: 'N', text: 'Send it N times and explain the last one, as a warm cache sees it.' },
  json: { text: 'Print JSON, for programs.' },
  control: { value: 'PATH', text: 'The control socket, that of rawhttp reload. (RAWHTTP_CONTROL)' },
  plugin: { value: 'NAME', text: 'Write the package of a plugin: rawhttp-plugin-NAME.' },
  force: { text: 'Overwrite files that are there. package.json and .gitignore are only added to.' },
  verbose: { text: 'Say which config is used, what is logged as info, and the stack of an error.' },
  help: { short: 'h', text: 'Show this help.' },
  version: { short: 'v', text: 'Show the version.' },
} as const satisfies Readonly<Record<string, Flag>>

export type FlagName = keyof typeof flags

export const commands = {
  init: {
    usage: 'rawhttp init [folder] [flags]',
    text: 'Write a site with a config and a test, or the package of a plugin.',
    takesFolder: true,
    flags: ['plugin', 'force'],
    examples: ['rawhttp init', 'rawhttp init blog', 'rawhttp init --plugin stamp'],
  },
  start: {
    usage: 'rawhttp start [folder] [flags]',
    text: 'Serve the sites of a config, or a folder when there is none.',
    takesFolder: true,
    flags: ['config', 'port', 'host', 'mode', 'workers', 'rolling', 'watch', 'control', 'verbose'],
    examples: [
      'rawhttp start',
      'rawhttp start ./public --port 3000',
      'rawhttp start --config sites/blog.config.ts',
      'rawhttp start --workers auto',
      'rawhttp start --watch',
    ],
  },
  check: {
    usage: 'rawhttp check [folder] [flags]',
    text: 'Load and validate a config, and list its sites and plugins. Opens no port.',
    takesFolder: true,
    flags: ['config', 'mode', 'verbose'],
    examples: ['rawhttp check', 'rawhttp check --config rawhttp.config.ts --mode development'],
  },
  plugins: {
    usage: 'rawhttp plugins [folder] [flags]',
    text: 'List every hook with its taps in the order in which they run. Opens no port.',
    takesFolder: true,
    flags: ['config', 'mode', 'json', 'verbose'],
    examples: ['rawhttp plugins', 'rawhttp plugins --json --config rawhttp.config.ts'],
  },
  explain: {
    usage: "rawhttp explain METHOD URL [-H 'name: value'] [--data BODY] [folder] [flags]",
    text: 'Run one request without a socket, and tell what each tap did to it. Opens no port; runs start and stop.',
    words: ['METHOD', 'URL'],
    takesFolder: true,
    flags: ['header', 'data', 'times', 'config', 'mode', 'json', 'verbose'],
    examples: [
      'rawhttp explain GET /',
      'rawhttp explain GET https://example.com/app.js -H "accept-encoding: br"',
      'rawhttp explain GET /app.js --times 2',
      'rawhttp explain POST /api/login --data "{}" -H "content-type: application/json" --json',
    ],
  },
  reload: {
    usage: 'rawhttp reload [flags]',
    text: 'Have a running server load its config again; it goes on serving whatever comes of it.',
    takesFolder: false,
    flags: ['port', 'control'],
    examples: [
      'rawhttp reload',
      'rawhttp reload --port 8080',
      'rawhttp reload --control /run/site/control.sock',
    ],
  },
} as const satisfies Readonly<Record<string, Command>>

export type CommandName = keyof typeof commands

export const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name)
