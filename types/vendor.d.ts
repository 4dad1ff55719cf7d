// The two globals that web/vendor/ defines. Papa Parse brings no types of its own, so this says what of it the portal may use.

declare namespace Papa {
  interface ParseError {
    type: string;
    code: string;
    message: string;
    row?: number;
  }
  interface ParseMeta {
    delimiter: string;
    linebreak: string;
    aborted: boolean;
    truncated: boolean;
    cursor: number;
    fields?: string[];
  }
  interface ParseResult<T> {
    data: T[];
    errors: ParseError[];
    meta: ParseMeta;
  }
  interface ParseConfig {
    delimiter: string;
    newline: '\r' | '\n' | '\r\n';
    header?: boolean;
    quoteChar?: string;
    escapeChar?: string;
    preview?: number;
    skipEmptyLines?: boolean | 'greedy';
    fastMode?: boolean;
    worker?: false;
  }
  interface UnparseConfig {
    delimiter?: string;
    newline?: string;
    header?: boolean;
    quotes?: boolean | boolean[];
    columns?: string[];
    escapeFormulae?: boolean | RegExp;
  }
  function parse<T = string[]>(text: string, config: ParseConfig): ParseResult<T>;
  function unparse(data: unknown[] | { fields: string[]; data: unknown[][] }, config?: UnparseConfig): string;
}
