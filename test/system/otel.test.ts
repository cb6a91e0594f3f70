import { tracingChannel } from 'node:diagnostics_channel'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import t from 'tap'
import { memoryRegistry } from '../../lib/index.js'
import { body, buildApp, NODES } from '../support/build-app.js'
import { failWith } from '../support/scripted-registry.js'
import type { Span } from '@opentelemetry/api'
import type { TraceEvent } from '../../types/index.js'

t.test('OpenTelemetry of the host – one request – shows hooks by name, and each operation as a span', async (t) => {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  t.teardown(async () => {
    trace.disable()
    context.disable()
    await provider.shutdown()
  })
  const instrumentation = new FastifyOtelInstrumentation()
  instrumentation.setTracerProvider(provider)

  // As docs/operations.md has it.
  const tracer = trace.getTracer('cobrowse')
  for (const operation of ['connectionInfo', 'sessions', 'registry', 'provision']) {
    const spans = new WeakMap<TraceEvent, Span>()
    const channel = tracingChannel<unknown, TraceEvent>(`cobrowse:${operation}`)
    const subscribers = {
      start (event: TraceEvent) { spans.set(event, tracer.startSpan(`cobrowse ${operation}`)) },
      end () {},
      asyncStart () {},
      asyncEnd (event: TraceEvent) { spans.get(event)?.end() },
      error (event: TraceEvent) { spans.get(event)?.setStatus({ code: SpanStatusCode.ERROR }) }
    }
    channel.subscribe(subscribers)
    t.teardown(() => channel.unsubscribe(subscribers))
  }

  let assign = memoryRegistry({ nodes: NODES }).assign
  const { ask } = await buildApp(t, {
    options: { registry: { ...memoryRegistry({ nodes: NODES }), assign: async (...args) => await assign(...args) } },
    before: async (app) => { await app.register(instrumentation.plugin()) }
  })
  t.equal((await ask()).json().retCode, '0')
  const spans = exporter.getFinishedSpans()
  const named = (name: string) => spans.find((span) => span.name === name)
  for (const hook of ['onRequest - checkHead', 'preHandler - admit', 'handler - answer', 'onResponse - finish']) {
    t.ok(named(hook), hook)
  }
  const parentOf = (name: string) => named(name)?.parentSpanContext?.spanId
  t.equal(parentOf('cobrowse sessions'), named('preHandler - admit')?.spanContext().spanId)
  t.equal(parentOf('cobrowse connectionInfo'), named('handler - answer')?.spanContext().spanId)
  t.ok(named('cobrowse registry'))
  t.equal(new Set(spans.map((span) => span.spanContext().traceId)).size, 1, 'one trace')

  exporter.reset()
  assign = failWith(new Error('away'))
  t.equal((await ask({ payload: { ...body, roomId: 'new' } })).json().retCode, '50302')
  const failed = exporter.getFinishedSpans().find(({ name }) => name === 'cobrowse registry')
  t.equal(failed?.status.code, SpanStatusCode.ERROR)
})
