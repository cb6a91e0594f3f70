import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const target = process.env.GATEWAY ?? 'http://127.0.0.1:3000'
// The gateway compares the page's origin with the `Host` header, which the short form `'/login': target` would replace.
const proxy = { '/login': { target, changeOrigin: false }, '/service-cloud': { target, changeOrigin: false } }

export default defineConfig({
  server: { proxy },
  preview: { proxy },
  build: { rollupOptions: { input: ['index', 'customer', 'agent'].map((name) => fileURLToPath(new URL(`${name}.html`, import.meta.url))) } }
})
