import { defineConfig } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { errorPages } from 'rawhttp/plugins/error-pages'
import welcome from './sites/welcome/index.ts'

export default defineConfig({
  listen: [{ port: 8080 }],
  plugins: [accessLog(), errorPages({ root: './sites/welcome/errors' })],
  sites: [welcome],
})
