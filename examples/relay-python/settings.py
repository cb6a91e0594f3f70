"""Settings, from environment variables."""

import json
import os

env = os.environ.get
PORT = int(env('PORT', 8443))
WSS_URL = env('WSS_URL', f'ws://127.0.0.1:{PORT}/ws/cobrowse/1')
NODE_ID = env('NODE_ID', 'node-1')
REDIS_URL = env('REDIS_URL', 'redis://127.0.0.1:6379')
SCRIPTS = env('SCRIPTS', '../../docs/node-contract')
KEYS = json.loads(env('COBROWSE_OTHER_KEYS', '{}'))
KEYS[env('COBROWSE_KEY_ID', 'sample')] = env('COBROWSE_KEY', 'a sample key, for loopback alone')
DRAIN_DEADLINE, PATIENCE = int(env('DRAIN_DEADLINE', 60_000)), int(env('PATIENCE', 2000))
LEASE, HEARTBEAT, LINGER = int(env('LEASE', 6000)), int(env('HEARTBEAT', 2000)), int(env('LINGER', 20_000))
TTL, SKEW = int(env('TTL', 15)), int(env('SKEW', 5))
