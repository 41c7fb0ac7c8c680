import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { configured, type Kind, type Place } from './debian.ts'

const kind: Kind = {
  tool: 'nginx',
  file: 'nginx.conf',
  command: config => ['-c', config, '-e', 'stderr'],
}

/** Debian's defaults, with a log in its default format; `extra` are lines of the server. */
const configOf =
  (...extra: readonly string[]) =>
  ({ files, folder, port, isSecure, cert, key }: Place): string =>
    `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
events { worker_connections 16384; }
http {
  types { text/html html; text/javascript js; }
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  # The client keeps its connections for the whole of a run, and idle ones are counted.
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  access_log ${folder}/access.log;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server {
    listen 127.0.0.1:${port}${isSecure ? ' ssl' : ''};
    ${isSecure ? `ssl_certificate ${cert}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;` : ''}
    root ${files};
    ${extra.join('\n    ')}
  }
}
`

export const nginx = configured('nginx, sendfile, access log', kind, configOf())
export const nginxSilent = configured('nginx, no log', kind, configOf('access_log off;'), { log: null })
export const nginxTls = configured('nginx, access log', kind, configOf(), { isSecure: true })

/** As it compresses when it is asked, on the level of zlib's default. It takes so long that a tenth must do. */
export const nginxGzip = configured(
  'nginx, gzip on the fly',
  kind,
  configOf('gzip on;', 'gzip_types text/javascript;', 'gzip_comp_level 6;'),
  { share: 0.025 },
)

/** Compressed by somebody before: a copy beside each file. */
export const nginxGzipStatic = configured('nginx, gzip_static', kind, place => {
  const script = join(place.folder, '50kb.js')
  const source = readFileSync(join(place.files, '50kb.js'))
  writeFileSync(script, source)
  writeFileSync(`${script}.gz`, gzipSync(source))
  return configOf('gzip_static on;')({ ...place, files: place.folder })
})
