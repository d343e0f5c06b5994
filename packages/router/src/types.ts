import type { AnyMiddleware, Application, Environ, StackAdds, StackNeeds } from "@wsgi/core";

/** Is what follows a route's pattern: layers, outermost first, and the application. */
export type RouteHandlers<E extends Environ, Layers extends readonly AnyMiddleware[]> = [
  ...layers: Layers,
  app: Application<E & StackAdds<Layers>> &
    (E extends StackNeeds<Layers> ? unknown : LayersNeed<StackNeeds<Layers>>),
];

/** Shows in the compiler's message which keys a route's layers need and its environ does not have. */
export interface LayersNeed<Needs> {
  /** The keys; no application has this property. */
  readonly needs: Needs;
}

/** Is what `url` takes: parameters, which may be left out if none is required, and the request. */
export type UrlArguments<Params> =
  Partial<Params> extends Params
    ? [params?: Params, environ?: Pick<Environ, "SCRIPT_NAME">]
    : [params: Params, environ?: Pick<Environ, "SCRIPT_NAME">];

/**
 * Is the parameters of a pattern: `:id` is a string, `*rest` the segments that it stands for, and what
 * is in a group `{…}` may be absent. Of a pattern that is not known until run time it is any.
 *
 * @example
 * ```ts
 * // PathParams<"/users/:id{/posts/*rest}"> is { id: string; rest?: string[] }
 * ```
 * @see path-to-regexp, "Parameters", "Wildcard" and "Optional"
 */
export type PathParams<Pattern extends string> = Flat<Read<Pattern>>;

/** Reads a pattern from left to right; `Groups` has a `{` for each group that is open. */
type Read<
  Text extends string,
  Groups extends string = "",
  Params = unknown,
> = Text extends `${infer First}${infer Rest}`
  ? First extends Characters<":*{}\\">
    ? ReadSign<First, Rest, Groups, Params>
    : Read<Rest, Groups, Params>
  : Text extends ""
    ? Params
    : Partial<Record<string, string | string[]>>;

type ReadSign<Sign, Rest extends string, Groups extends string, Params> = Sign extends ":"
  ? ReadParam<Name<Rest>, string, Groups, Params>
  : Sign extends "*"
    ? ReadParam<Name<Rest>, string[], Groups, Params>
    : Sign extends "{"
      ? Read<Rest, `{${Groups}`, Params>
      : Sign extends "}"
        ? Read<Rest, Groups extends `{${infer Outer}` ? Outer : "", Params>
        : Read<Rest extends `${string}${infer After}` ? After : "", Groups, Params>;

type ReadParam<Found, Value, Groups extends string, Params> = Found extends [
  infer N extends string,
  infer Rest extends string,
]
  ? Read<Rest, Groups, Params & (Groups extends "" ? Record<N, Value> : Partial<Record<N, Value>>)>
  : never;

/** Splits a text into the name at its start, bare or quoted, and the rest. */
type Name<Text extends string> = Text extends `"${infer Quoted}`
  ? QuotedName<Quoted>
  : BareName<Text>;

type BareName<
  Text extends string,
  Read extends string = "",
> = Text extends `${infer First}${infer Rest}`
  ? First extends Punctuation
    ? [Read, Text]
    : BareName<Rest, `${Read}${First}`>
  : [Read, Text];

type QuotedName<
  Text extends string,
  Read extends string = "",
> = Text extends `${infer First}${infer Rest}`
  ? First extends '"'
    ? [Read, Rest]
    : First extends "\\"
      ? Rest extends `${infer Escaped}${infer After}`
        ? QuotedName<After, `${Read}${Escaped}`>
        : [Read, ""]
      : QuotedName<Rest, `${Read}${First}`>
  : [Read, ""];

/** What ends a bare name, as far as ASCII goes: all but letters, digits, `$` and `_`. */
type Punctuation = Characters<" !\"#%&'()*+,-./:;<=>?@[\\]^`{|}~">;

type Characters<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? First | Characters<Rest>
  : never;

type Flat<Params> = { [Name in keyof Params]: Params[Name] };
