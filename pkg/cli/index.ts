// The command kit. A command is a Program record (objects, each with verbs) and a one-line run:
//   export const run = (argv: readonly string[], io: Io): number => runProgram(IP, argv, io)
// An Entry's run(context, words) reads its words with pkg/grammar, asks context.read() or context.write() for the machine, and prints through
// context.out (pkg/print). Returning is success: the transaction is committed, then the output appears. Throwing KernelError or InputError undoes
// the transaction and becomes the tool's own lines and exit status (failure.ts). bpftool: style 'bpftool', no `options`, verbs by runBpftoolVerb,
// `batch file F` as an object that calls bpftoolBatch. Flags and help of `wire` and `hookpoint`, and completion scripts: flags.ts (lazy yargs).
export * from './io.js'
export * from './options.js'
export * from './failure.js'
export * from './session.js'
export * from './program.js'
export * from './batch.js'
export * from './complete.js'
export * from './flags.js'
export * from './version.js'
