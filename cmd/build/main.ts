// npm run build, second half: esbuild bundles the five executables into dist/bin.
import { build } from 'esbuild'
