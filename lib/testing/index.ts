export { checkNode } from './conformance/check-node.js'
export { startToxicProxy } from './toxic-proxy.js'
export type { ProxyMode, ToxicProxy, ToxicProxyOptions } from './toxic-proxy.js'
export type * from '../../types/testing.js'
