import { defineConfig } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import docs from './index.ts'

export default defineConfig({
  listen: [{ port: 8080 }],
  plugins: [accessLog(), compression(), cache()],
  sites: [docs],
})
