import { needTool } from '../../support/tools.ts'
import { launchProgram, type Running } from './run-cli.ts'

interface Activation {
  /** Where systemd listens: `127.0.0.1:8080` or the path of a Unix socket. */
  readonly listen: readonly string[]
  /** `FileDescriptorName=` of each. */
  readonly names?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Listens as a socket unit of systemd does, and becomes the command with the first client. Resolves when a client may
 * come.
 */
export async function activate(
  command: readonly string[],
  cwd: string,
  { listen, names = [], env = {} }: Activation,
): Promise<Running> {
  const tool = needTool('systemd-socket-activate', 'systemd')
  const running = launchProgram(
    [
      tool,
      ...listen.map(place => `--listen=${place}`),
      ...(names.length > 0 ? [`--fdname=${names.join(':')}`] : []),
      ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`),
      ...command,
    ],
    { cwd },
  )
  await running.line(new RegExp(`^Listening on .* as ${2 + listen.length}`))
  return running
}
