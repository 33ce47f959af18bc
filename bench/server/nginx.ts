// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { has, start, waitForAnswer } from '../process.ts'
import { staticUrls } from './bare.ts'
import type { Peer } from './peer.ts'

/** Makes sure that there is an nginx; answers why not otherwise. */
export function prepareNginx(): string | undefined {
  if (has('nginx')) return undefined
  if (process.getuid?.() !== 0 || !has('apt-get')) return 'nginx is not installed'
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const done = spawnSync('apt-get', ['install', '-y', '-q', 'nginx-light'], { env: environment })
  return done.status === 0 && has('nginx')
    ? undefined
    : 'nginx is not installed, and apt-get could not install it'
}

/** nginx over the files of a folder, tuned for exactly this: one worker, files kept open, no log, gzip made beforehand. */
export async function startNginx(folder: string, files: string, port: number): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const configFile = join(folder, 'nginx.conf')
  writeFileSync(configFile, configuration(folder, files, port))
  const running = start({ run: ['nginx', '-p', folder, '-e', 'stderr', '-c', configFile], folder })
  const origin = `http://127.0.0.1:${port}`
  const readyMs = await waitForAnswer(running, `${origin}/static/ready.json`)
  return { name: 'nginx', running, token: undefined, readyMs, ...staticUrls(origin) }
}

function configuration(folder: string, files: string, port: number): string {
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `${user}
daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000;
  open_file_cache max=10000; open_file_cache_valid 60s; etag on; gzip_static on;
  types { application/json json; application/octet-stream tgz; }
  ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port}; root ${files};
    location /static/ { alias ${files}/; }
    location / { try_files $uri $uri/index.json =404; }
  }
}
`
}
