import { configured, type Kind, type Place } from './debian.ts'

const caddyKind: Kind = {
  tool: 'caddy',
  file: 'Caddyfile',
  command: config => ['run', '--config', config, '--adapter', 'caddyfile'],
}

const caddyfile =
  (...extra: readonly string[]) =>
  ({ files, folder, port }: Place): string =>
    `
{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  root * ${files}
  file_server
  ${extra.join('\n  ')}
  log {
    output file ${folder}/access.log {
      roll_disabled
    }
  }
}
`

export const caddy = configured('caddy, access log', caddyKind, caddyfile(), { share: 0.2 })
/** On the fly, as nginx does. */
export const caddyGzip = configured('caddy, gzip on the fly', caddyKind, caddyfile('encode gzip'), {
  share: 0.025,
})

const h2oKind: Kind = { tool: 'h2o', file: 'h2o.conf', command: config => ['--conf', config] }

const h2oConfig =
  (...extra: readonly string[]) =>
  ({ files, folder, port, isSecure, cert, key }: Place): string =>
    `
${process.getuid?.() === 0 ? 'user: root' : ''}
num-threads: 1
listen:
  host: 127.0.0.1
  port: ${port}
${isSecure ? `  ssl:\n    certificate-file: ${cert}\n    key-file: ${key}` : ''}
access-log: ${folder}/access.log
hosts:
  default:
    paths:
      /:
        file.dir: ${files}
        ${extra.join('\n        ')}
`

export const h2o = configured('h2o, access log', h2oKind, h2oConfig())
export const h2oTls = configured('h2o, access log', h2oKind, h2oConfig(), { isSecure: true })
export const h2oGzip = configured('h2o, gzip on the fly', h2oKind, h2oConfig('compress: [gzip]'), {
  share: 0.025,
})
