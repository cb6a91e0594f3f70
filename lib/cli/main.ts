#!/usr/bin/env node
import { runCommand } from './command.js'

const LEFT_OPEN_MS = 5000

process.exitCode = await runCommand(process.argv.slice(2))
// The command ends by itself, even if a connection that it no longer needs stays open.
setTimeout(() => process.exit(), LEFT_OPEN_MS).unref()
