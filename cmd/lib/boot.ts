// From the environment to a booted machine: the one file of the commands, besides their main.ts, that knows the kernel side.
import { join, resolve } from 'node:path'
import type { Access } from '../../pkg/cli/io.js'
import { bootDirectory } from '../../pkg/kernel/boot.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { toolchain } from './lazy.js'

/** $HOOKPOINT_STATE, else below the XDG state directory. */
export function stateDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { HOOKPOINT_STATE: named, XDG_STATE_HOME: xdg } = env
  if (named) return resolve(named)
  return join(xdg ? resolve(xdg) : join(home(env), '.local', 'state'), 'hookpoint')
}

/** node:os takes 1 ms to load and is only needed where HOME is not set. */
const home = (env: NodeJS.ProcessEnv): string => env['HOME'] || process.getBuiltinModule('node:os').homedir()

const on = (value: string | undefined): boolean => value === '1' || value === 'yes' || value === 'true'

/** A boot function for the command NAME. */
export function bootFor(name: string, env: NodeJS.ProcessEnv = process.env): (access: Access) => Kernel {
  return (access) =>
    bootDirectory(stateDirectory(env), access, {
      toolchain,
      jit: env['HOOKPOINT_JIT'] !== '0',
      strict: on(env['HOOKPOINT_STRICT']),
      explain: on(env['HOOKPOINT_EXPLAIN']),
      ...(env['HOOKPOINT_DIALECT'] ? { dialect: env['HOOKPOINT_DIALECT'] } : {}),
      task: { comm: name, pid: 1 },
      stopwatch: () => Number(process.hrtime.bigint()),
    })
}
