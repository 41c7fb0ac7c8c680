import { defineConfig } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { errorPages } from 'rawhttp/plugins/error-pages'
import welcome from './sites/welcome/index.ts'

export default defineConfig({
  listen: [{ port: 8080 }],
  plugins: [accessLog(), compression(), cache(), errorPages({ root: './sites/welcome/errors' })],
  sites: [welcome],
})
