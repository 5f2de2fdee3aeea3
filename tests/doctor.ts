/**
 * What this machine is, whether it computes the right numbers, and how long each script takes on it.
 *
 *     deno task doctor          # about a minute; needs no permission
 *     deno task doctor --json   # for a report
 *
 * @module
 */
import { type Backend, selectBackend } from "../common/backend.ts";
import {
  type CheckedOperation,
  checkOperations,
  TOLERANCE,
} from "../common/engine/operation_check.ts";
import { type Adapter, findAdapter } from "../common/engine/webgpu/adapter.ts";
import { whileDeviceLives } from "../common/engine/webgpu/faults.ts";
import { LEAST_DENO } from "../common/run/deno_version.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { type Command, onOff } from "../common/run/flags.ts";
import { helpText } from "../common/run/help.ts";
import { runMain } from "../common/run/main.ts";
import { inWords } from "../common/run/progress.ts";
import { type Durations, measureDurations } from "./doctor/durations.ts";
import { measureSpeeds, type Speeds } from "./doctor/speeds.ts";

const flags = {
  json: onOff({ help: "print everything as JSON" }),
  checksOnly: onOff({ help: "check the numbers, and measure no times" }),
};

const command: Command<typeof flags> = {
  name: "doctor",
  summary: "Says what this machine is, whether it computes right, and how long runs take on it.",
  flags,
  presets: {},
};

/** A backend's examination. */
interface Examined {
  name: string;
  /** GPU or threads. */
  on: string;
  /** Why it cannot be used. */
  failure?: string;
  operations: CheckedOperation[];
  speeds?: Speeds;
  /** Absent where the numbers are wrong, and on a software adapter, which nobody trains on. */
  durations?: Durations;
}

/** Everything that is found out. */
interface Report {
  deno: string;
  leastDeno: string;
  system: string;
  cores: number;
  adapter?: { name: string; software: boolean; limits: object; features: string[] };
  backends: Examined[];
}

/** The limits and features that decide what can be trained. */
function describeAdapter({ gpu, name, software }: Adapter): Report["adapter"] {
  const { limits, features } = gpu;
  return {
    name,
    software,
    limits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    },
    features: ["shader-f16", "subgroups", "timestamp-query"].filter((name) => features.has(name)),
  };
}

/** Checks and measures one backend; what fails is said and does not end the rest. */
async function examine(name: "wasm" | "webgpu", checksOnly: boolean): Promise<Examined> {
  const found: Examined = { name, on: "", operations: [] };
  let backend: Backend | undefined;
  try {
    backend = await selectBackend(name);
    found.on = backend.adapter ?? `${backend.workers} threads`;
    await whileDeviceLives(check(found));
    const isTrainedOn = name === "wasm" || backend.hardware;
    const isSound = !found.operations.some(isWrong);
    if (isSound && !checksOnly) await whileDeviceLives(measure(found, isTrainedOn));
  } catch (error) {
    found.failure = (error as Error).message.split("\n")[0];
  } finally {
    backend?.dispose();
  }
  return found;
}

async function check(found: Examined): Promise<void> {
  for await (const checked of checkOperations()) {
    found.operations.push(checked);
    console.error(`${found.name}: ${checked.operation}`);
  }
}

async function measure(found: Examined, isTrainedOn: boolean): Promise<void> {
  found.speeds = await measureSpeeds();
  if (isTrainedOn) found.durations = await measureDurations();
}

function isWrong({ error }: CheckedOperation): boolean {
  return !(error <= TOLERANCE);
}

/** The report in words. */
function lines({ deno, leastDeno, system, cores, adapter, backends }: Report): string[] {
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  const limits = adapter?.limits as Record<string, number> | undefined;
  return [
    `Deno ${deno} (needed: ${leastDeno} or later) on ${system}, ${cores} cores`,
    adapter
      ? `WebGPU adapter: ${adapter.name}, ${
        adapter.software ? "software" : "hardware"
      }; a tensor ` +
        `may have ${mib(limits!.maxStorageBufferBindingSize)}`
      : "WebGPU adapter: none",
    ...backends.flatMap(backendLines),
  ];
}

function backendLines({ name, on, failure, operations, speeds, durations }: Examined): string[] {
  const errors = operations.map(({ error }) => error);
  const wrong = operations.filter(isWrong);
  const title = `${name}${on && `, ${on}`}`;
  return [
    "",
    ...(failure ? [`${title}: fails: ${failure}`] : []),
    ...(operations.length
      ? [
        `${title}: ${operations.length} operations, at most ${
          Math.max(...errors).toExponential(1)
        } from their definitions`,
      ]
      : []),
    ...wrong.map(({ operation, error }) => `  WRONG: ${operation}, by ${error.toPrecision(2)}`),
    ...(speeds
      ? [`  convolution ${speeds.convolution} GFLOP/s, matrix product ${speeds.product} GFLOP/s`]
      : []),
    ...(durations ?? []).map(({ command, stepSeconds, steps, runSeconds }) =>
      `  ${command.padEnd(36)} ${steps} steps of ${stepSeconds.toPrecision(2)} s: about ${
        inWords(runSeconds)
      }`
    ),
  ];
}

async function main(args: string[]): Promise<number> {
  const { settings, help } = parseCommandLine(command, args);
  if (help) {
    console.log(helpText(command));
    return 0;
  }
  const adapter = await findAdapter();
  const report: Report = {
    deno: Deno.version.deno,
    leastDeno: LEAST_DENO,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    cores: navigator.hardwareConcurrency,
    adapter: adapter && describeAdapter(adapter),
    backends: [
      await examine("wasm", settings.checksOnly),
      ...(adapter ? [await examine("webgpu", settings.checksOnly)] : []),
    ],
  };
  console.log(settings.json ? JSON.stringify(report, null, 2) : lines(report).join("\n"));
  const isSound = report.backends.every(({ failure, operations }) =>
    !failure && !operations.some(isWrong)
  );
  return isSound ? 0 : 1;
}

if (import.meta.main) await runMain(main);
