#!/usr/bin/env node
// A file that is there before the build, so that npm can link the command when it installs a clone.
process.setSourceMapsEnabled(true);
await import("../dist/main.js");
